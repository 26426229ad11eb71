import Testing

@testable import Kafka

struct MemberAssignmentTests {
  private let bytes: [UInt8] =
    [0, 1, 0, 0, 0, 2, 0, 1] + Array("a".utf8) + [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7, 0, 2] + Array("bc".utf8)
    + [0, 0, 0, 1, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff]

  @Test func whatMembersWriteIsRead() {
    let found = bytes.withUnsafeBytes { MemberAssignment.partitions($0) }
    #expect(found == [TopicPartition("a", 0), TopicPartition("a", 7), TopicPartition("bc", 3)])
  }

  /// No byte may lead astray, and nothing that is cut short is taken for less.
  @Test func anythingElseIsNone() {
    for end in 0..<(bytes.count - 4) {
      #expect(bytes[..<end].withUnsafeBytes { MemberAssignment.partitions($0) } == nil, "\(end)")
    }
    for place in bytes.indices {
      for value in [UInt8](0...255) {
        var changed = bytes
        changed[place] = value
        let found = changed.withUnsafeBytes { MemberAssignment.partitions($0) }
        #expect((found?.count ?? 0) <= bytes.count)
      }
    }
  }
}
