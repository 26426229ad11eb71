import CRdkafka
import Glibc

/// librdkafka's list of partitions, owned.
struct PartitionList: ~Copyable {
  let native: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  init(capacity: Int) { native = rd_kafka_topic_partition_list_new(Int32(capacity)) }

  init(taking native: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) { self.native = native }

  init(_ partitions: [TopicPartition], offset: Int64 = Int64(RD_KAFKA_OFFSET_INVALID)) {
    self.init(capacity: partitions.count)
    for partition in partitions { add(partition.topic, partition.partition, offset: offset) }
  }

  init(_ offsets: [TopicPartitionOffset]) {
    self.init(capacity: offsets.count)
    for offset in offsets {
      add(offset.topic, offset.partition, offset: offset.offset, metadata: offset.metadata)
    }
  }

  deinit { rd_kafka_topic_partition_list_destroy(native) }

  func add(_ topic: String, _ partition: Int32, offset: Int64, metadata: String? = nil) {
    guard let element = rd_kafka_topic_partition_list_add(native, topic, partition) else { return }
    element.pointee.offset = offset
    guard let metadata else { return }
    // With its closing zero, which librdkafka reads: the length leaves it out. The list's destruction frees it.
    element.pointee.metadata = UnsafeMutableRawPointer(strdup(metadata))
    element.pointee.metadata_size = metadata.utf8.count
  }

  var partitions: [TopicPartition] { Self.partitions(of: native) }

  /// The partitions of a list that somebody else owns.
  static func partitions(of native: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> [TopicPartition] {
    elements(of: native).map { TopicPartition(String(cString: $0.topic), $0.partition) }
  }

  /// The elements; their pointers stand as long as the list.
  var elements: UnsafeMutableBufferPointer<rd_kafka_topic_partition_t> { Self.elements(of: native) }

  private static func elements(
    of native: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
  ) -> UnsafeMutableBufferPointer<rd_kafka_topic_partition_t> {
    UnsafeMutableBufferPointer(start: native?.pointee.elems, count: Int(native?.pointee.cnt ?? 0))
  }

  /// Throws the first partition's error there is.
  func checkEach(_ what: String) throws(KafkaError) {
    for element in elements where element.err != RD_KAFKA_RESP_ERR_NO_ERROR {
      throw KafkaError(element.err, "\(what) of \(TopicPartition(String(cString: element.topic), element.partition))")
    }
  }
}
