import FoundationEssentials

/// The part of librdkafka's statistics that is of use to watch a pipeline; times in microseconds as librdkafka has them.
public struct KafkaStatistics: Sendable, Hashable {
  /// One connection.
  public struct Broker: Sendable, Hashable {
    /// `host:port/id`.
    public var name: String
    /// Kafka's number of the node; -1 for a bootstrap address.
    public var nodeID: Int32
    /// Such as `UP` or `DOWN`.
    public var state: String
    /// Mean round trip in the last interval, in microseconds; 0 where there was none.
    public var roundTripMicroseconds: Int64
    /// 99th percentile of the round trip in the last interval, in microseconds.
    public var roundTripP99Microseconds: Int64
    /// Mean time that the broker throttled us, in milliseconds.
    public var throttleMilliseconds: Int64
    /// Requests that failed on the way, since the start.
    public var errors: Int64
    /// Requests that timed out, since the start.
    public var timeouts: Int64
  }

  /// One partition.
  public struct Partition: Sendable, Hashable {
    /// Which one.
    public var topicPartition: TopicPartition
    /// Records between the application's position and the partition's end; nil where not known.
    public var lag: Int64?
    /// Records that wait in the partition's queue here.
    public var queuedRecords: Int64
    /// Their size in bytes.
    public var queuedBytes: Int64
    /// The offset after the last record handed to the application; nil where none was.
    public var position: Int64?
    /// The end of the partition that can be read now, which an open transaction holds back; nil where not known.
    public var lastStableOffset: Int64?
  }

  /// Records that wait in the client to be sent.
  public var queuedMessages: Int64 = 0
  /// Their size in bytes.
  public var queuedMessageBytes: Int64 = 0
  /// Records sent since the start.
  public var sentMessages: Int64 = 0
  /// Records received since the start.
  public var receivedMessages: Int64 = 0
  /// The group's rebalances since the start; nil without a group.
  public var rebalances: Int64?
  /// What the member is doing, such as `steady`; nil without a group.
  public var joinState: String?
  /// The transaction's state, such as `Ready` or `InTransaction`; nil without transactions.
  public var transactionState: String?
  /// The connections, by name.
  public var brokers: [Broker] = []
  /// The partitions this client works on, in order.
  public var partitions: [Partition] = []

  /// Reads librdkafka's JSON; nil where it is none.
  init?(json: UnsafeRawBufferPointer) {
    let data = Data(json)
    guard let raw = try? JSONDecoder().decode(RawStatistics.self, from: data) else { return nil }
    queuedMessages = raw.msg_cnt ?? 0
    queuedMessageBytes = raw.msg_size ?? 0
    sentMessages = raw.txmsgs ?? 0
    receivedMessages = raw.rxmsgs ?? 0
    rebalances = raw.cgrp?.rebalance_cnt
    joinState = raw.cgrp?.join_state
    transactionState = raw.eos.flatMap { $0.txn_state == "Init" ? nil : $0.txn_state }
    brokers = (raw.brokers ?? [:]).values.map(Broker.init).sorted { $0.name < $1.name }
    for (topic, entry) in raw.topics ?? [:] {
      for partition in (entry.partitions ?? [:]).values where partition.partition >= 0 {
        partitions.append(Partition(topic, partition))
      }
    }
    partitions.sort { $0.topicPartition < $1.topicPartition }
  }
}

extension KafkaStatistics.Broker {
  fileprivate init(_ raw: RawStatistics.Broker) {
    self.init(
      name: raw.name ?? "", nodeID: raw.nodeid ?? -1, state: raw.state ?? "",
      roundTripMicroseconds: raw.rtt?.avg ?? 0, roundTripP99Microseconds: raw.rtt?.p99 ?? 0,
      throttleMilliseconds: raw.throttle?.avg ?? 0,
      errors: (raw.txerrs ?? 0) + (raw.rxerrs ?? 0), timeouts: raw.req_timeouts ?? 0)
  }
}

extension KafkaStatistics.Partition {
  fileprivate init(_ topic: String, _ raw: RawStatistics.Partition) {
    func known(_ offset: Int64?) -> Int64? { offset.flatMap { $0 < 0 ? nil : $0 } }
    self.init(
      topicPartition: TopicPartition(topic, raw.partition),
      lag: Self.lag(known(raw.consumer_lag), end: known(raw.ls_offset), position: known(raw.app_offset)),
      queuedRecords: raw.fetchq_cnt ?? 0, queuedBytes: raw.fetchq_size ?? 0,
      position: known(raw.app_offset), lastStableOffset: known(raw.ls_offset))
  }

  /// librdkafka reckons its lag from the offset that its own commits have reached, which stands still where offsets are
  /// committed in transactions: the application's position is the better start.
  private static func lag(_ reported: Int64?, end: Int64?, position: Int64?) -> Int64? {
    guard let end, let position else { return reported }
    return max(0, end - position)
  }
}

/// The statistics as librdkafka writes them; only what is read, under its own names.
private struct RawStatistics: Decodable {
  struct Average: Decodable {
    var avg: Int64?
    var p99: Int64?
  }
  struct Broker: Decodable {
    var name: String?
    var nodeid: Int32?
    var state: String?
    var rtt: Average?
    var throttle: Average?
    var txerrs: Int64?
    var rxerrs: Int64?
    var req_timeouts: Int64?
  }
  struct Partition: Decodable {
    var partition: Int32
    var consumer_lag: Int64?
    var fetchq_cnt: Int64?
    var fetchq_size: Int64?
    var app_offset: Int64?
    var ls_offset: Int64?
  }
  struct Topic: Decodable { var partitions: [String: Partition]? }
  struct Group: Decodable {
    var rebalance_cnt: Int64?
    var join_state: String?
  }
  struct Transactions: Decodable { var txn_state: String? }

  var msg_cnt: Int64?
  var msg_size: Int64?
  var txmsgs: Int64?
  var rxmsgs: Int64?
  var brokers: [String: Broker]?
  var topics: [String: Topic]?
  var cgrp: Group?
  var eos: Transactions?
}
