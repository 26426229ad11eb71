import CRdkafka

/// librdkafka as it runs in this process.
///
/// # The module in one screen
///
/// `Kafka` is a thin client over librdkafka 2.0.2 or newer; no C type shows in its interface and nothing is hidden that
/// an owner must decide.
///
/// - `KafkaConfiguration`: librdkafka's properties by their own names, checked without a connection.
/// - `KafkaConsumer`: one control queue that its owner polls (rebalances, errors, logs and statistics as values), and a
///   `PartitionQueue` of its own for each assigned partition.
/// - `KafkaProducer`: idempotent or transactional; deliveries are collected by the owner.
/// - `KafkaAdmin`: topics; `KafkaReader`: single records by offset; `EmbeddedBroker`: a broker inside the process.
/// - `KafkaError`: one error type, with its class and what to do about it.
///
/// ```swift
/// let consumer = try KafkaConsumer(["bootstrap.servers": "localhost:9092", "group.id": "g"])
/// try consumer.subscribe(["orders"])
/// while let event = consumer.poll(timeoutMilliseconds: 1000) {
///   if case .assign(let partitions, let rebalance) = event { … partitionQueue(…), assign(…) … }
/// }
/// ```
public enum KafkaLibrary {
  /// The version of the librdkafka that is loaded now, such as `2.0.2`; not the one compiled against.
  public static var version: String { String(cString: rd_kafka_version_str()) }

  /// The same as a number that can be compared: `0xMMmmrrpp`.
  public static var versionNumber: UInt32 { UInt32(bitPattern: rd_kafka_version()) }
}
