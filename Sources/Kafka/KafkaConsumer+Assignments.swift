import CRdkafka

/// What the members of a group have been given to read, as its coordinator tells it.
public struct GroupAssignment: Sendable, Hashable {
  /// Whether no rebalance is under way.
  public var isStable: Bool
  /// The partitions that some member has.
  public var partitions: Set<TopicPartition>
}

extension KafkaConsumer {
  /// What the members of a group have been given to read. Blocks for up to its time limit.
  ///
  /// - Returns: nil where no broker tells of the group.
  public func assignment(
    ofGroup group: String, timeoutMilliseconds: Int32
  ) throws(KafkaError) -> GroupAssignment? {
    var list: UnsafePointer<rd_kafka_group_list>?
    let code = rd_kafka_list_groups(handle, group, &list, timeoutMilliseconds)
    defer { if let list { rd_kafka_group_list_destroy(list) } }
    // An answer is good even where not all brokers gave one.
    guard let list, let groups = list.pointee.groups,
      let found = (0..<Int(list.pointee.group_cnt)).first(where: {
        groups[$0].group.map { String(cString: $0) } == group
      })
    else {
      try KafkaError.check(code, "asking for the members of the group \(group)")
      return nil
    }
    let native = groups[found]
    try KafkaError.check(native.err, "asking for the members of the group \(group)")
    var assignment = GroupAssignment(
      isStable: native.state.map { String(cString: $0) } == "Stable", partitions: [])
    for index in 0..<Int(native.member_cnt) {
      guard let member = native.members?[index], let bytes = member.member_assignment else { continue }
      let told = UnsafeRawBufferPointer(start: bytes, count: max(0, Int(member.member_assignment_size)))
      assignment.partitions.formUnion(MemberAssignment.partitions(told) ?? [])
    }
    return assignment
  }
}

/// A member's assignment as members write it for each other: a version, then for each topic its name and partitions, big
/// endian (Kafka's `ConsumerProtocolAssignment.json`).
enum MemberAssignment {
  /// nil: these bytes are something else.
  static func partitions(_ bytes: UnsafeRawBufferPointer) -> [TopicPartition]? {
    var position = 0
    func number<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
      guard bytes.count - position >= MemoryLayout<Number>.size else { return nil }
      defer { position += MemoryLayout<Number>.size }
      return Number(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
    }
    guard number(Int16.self) != nil, let topics = number(Int32.self), topics >= 0 else { return nil }
    var partitions: [TopicPartition] = []
    for _ in 0..<topics {
      guard let length = number(Int16.self).map(Int.init), length >= 0, bytes.count - position >= length else {
        return nil
      }
      let name = String(decoding: bytes[position..<(position + length)], as: UTF8.self)
      position += length
      guard let count = number(Int32.self), count >= 0, Int(count) <= (bytes.count - position) / 4 else { return nil }
      for _ in 0..<count {
        guard let partition = number(Int32.self) else { return nil }
        partitions.append(TopicPartition(name, partition))
      }
    }
    return partitions
  }
}
