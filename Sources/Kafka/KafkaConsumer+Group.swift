import CRdkafka

extension KafkaConsumer {
  /// Joins the group for these topics; a name that begins with `^` is a regular expression.
  ///
  /// A topic that does not exist comes as an `.error` of the control queue.
  public func subscribe(_ topics: [String]) throws(KafkaError) {
    let list = PartitionList(topics.map { TopicPartition($0, RD_KAFKA_PARTITION_UA) })
    noteJoining()
    try KafkaError.check(
      rd_kafka_subscribe(handle, list.native), "subscribing to \(topics.joined(separator: ", "))")
  }

  /// Gives all partitions back (a `.revoke` comes) and leaves the group.
  public func unsubscribe() throws(KafkaError) {
    try KafkaError.check(rd_kafka_unsubscribe(handle), "unsubscribing")
  }

  /// The queue of one partition. Make it before the partition is assigned: from then on its records come here only.
  ///
  /// - Parameter onReadable: see `PartitionQueue`; runs on librdkafka's thread and may only schedule.
  public func partitionQueue(
    _ partition: TopicPartition, onReadable: @escaping @Sendable () -> Void
  ) throws(KafkaError) -> PartitionQueue {
    try PartitionQueue(partition, of: self, onReadable: onReadable)
  }

  /// Starts to read partitions at these offsets (`TopicPartitionOffset.beginning`, `.end` and `.stored` are allowed).
  ///
  /// Answers `.assign` when given that event's protocol: `.cooperative` adds to what is held, otherwise this is all.
  /// Outside a group (`.none`), it sets the partitions to be read.
  public func assign(
    _ offsets: [TopicPartitionOffset], _ rebalance: RebalanceProtocol = .none
  ) throws(KafkaError) {
    let list = PartitionList(offsets)
    switch rebalance {
    case .cooperative:
      try KafkaError.check(rd_kafka_incremental_assign(handle, list.native), "assigning partitions")
    case .eager, .none:
      try KafkaError.check(rd_kafka_assign(handle, list.native), "assigning partitions")
    }
  }

  /// Stops reading these partitions; answers `.revoke` when given that event's protocol. Other than `.cooperative`, it
  /// stops reading all.
  public func unassign(
    _ partitions: [TopicPartition], _ rebalance: RebalanceProtocol = .none
  ) throws(KafkaError) {
    switch rebalance {
    case .cooperative:
      let list = PartitionList(partitions)
      try KafkaError.check(rd_kafka_incremental_unassign(handle, list.native), "giving partitions up")
    case .eager, .none:
      try KafkaError.check(rd_kafka_assign(handle, nil), "giving partitions up")
    }
  }

  /// The partitions that are assigned now.
  public func assignment() throws(KafkaError) -> [TopicPartition] {
    var native: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
    try KafkaError.check(rd_kafka_assignment(handle, &native), "asking for the assignment")
    guard let native else { return [] }
    return PartitionList(taking: native).partitions
  }

  /// True where the assignment was lost without a revoke: others may read these partitions already.
  public var isAssignmentLost: Bool { rd_kafka_assignment_lost(handle) != 0 }

  /// The protocol of the last rebalance.
  public var rebalanceProtocol: RebalanceProtocol { RebalanceProtocol(handle) }

  /// The member's id in its group; nil before it joined.
  public var memberID: String? {
    guard let id = rd_kafka_memberid(handle) else { return nil }
    defer { rd_kafka_mem_free(handle, id) }
    return id.pointee == 0 ? nil : String(cString: id)
  }

  /// This member's place in the group now, to commit offsets in a transaction; nil without a group.
  public func groupMetadata() -> GroupMetadata? {
    guard let native = rd_kafka_consumer_group_metadata(handle) else { return nil }
    defer { rd_kafka_consumer_group_metadata_destroy(native) }
    return GroupMetadata(native)
  }
}
