internal import Events
internal import Glibc
internal import Kafka
internal import Pipeline

/// Where outputs go: each destination's topic.
struct OutputTopics: Sendable {
  private let alerts: String
  private let late: String?
  private let deadLetter: String?
  /// By the exchange's number.
  private let exchanges: [String]

  init(_ plan: OutputsPlan, _ topology: Topology) {
    exchanges = topology.exchanges.map(\.topic)
    alerts = plan.alerts
    late = plan.late
    deadLetter = plan.deadLetter
  }

  /// The topics that the file names, each once.
  var names: [String] { Array(Set([alerts, late, deadLetter].compactMap { $0 })).sorted() }

  private func topic(_ output: Output) -> String? {
    switch output.destination {
    case .alerts: alerts
    case .late: late
    case .deadLetter: deadLetter
    case .exchange: output.place.map { exchanges[$0.exchange] }
    }
  }

  /// Queues an output; waits while the producer's queue is full.
  func produce(_ output: Output, with producer: KafkaProducer, tag: OutputTag) throws(KafkaError) {
    guard let topic = topic(output) else { return }
    let headers = output.headers.map { KafkaHeader($0.name, $0.value) }
    while true {
      do throws(KafkaError) {
        return try producer.produce(
          topic: topic, partition: output.place?.partition, key: output.key, value: output.value, headers: headers,
          opaque: tag.opaque)
      } catch {
        guard error.code == .queueFull else { throw error }
        // Some must be on their way before there is room; their outcomes are kept with the transaction's own.
        usleep(1_000)
        try? producer.flush(timeoutMilliseconds: 100)
      }
    }
  }
}

/// An output's place in its transaction as the producer carries it: never 0, which stands for nothing.
struct OutputTag {
  var pair: Int
  var output: Int

  init(pair: Int, output: Int) {
    self.pair = pair
    self.output = output
  }

  init(_ opaque: UInt) {
    let number = opaque &- 1
    pair = Int(number >> 40)
    output = Int(number & 0xff_ffff_ffff)
  }

  var opaque: UInt { (UInt(pair) << 40 | UInt(output)) + 1 }
  var place: SinkFailure.Place { SinkFailure.Place(pair: pair, output: output) }
}

extension Transaction {
  /// The positions as Kafka commits them.
  var offsets: [TopicPartitionOffset] {
    pairs.map {
      TopicPartitionOffset(
        $0.partition.topic, $0.partition.number, offset: $0.position.offset, metadata: $0.position.metadata)
    }
  }
}
