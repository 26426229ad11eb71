import Foundation
import Kafka
import KafkaTestSupport
import Testing

/// Transactions on a real Kafka, seen by a consumer that is not ours.
@Suite(.enabled(if: RealKafka.isAvailable("TransactionTests") && Kcat.isAvailable("TransactionTests")))
struct TransactionTests {
  private func producer(_ kafka: RealKafka, _ id: String, _ more: [String: String] = [:]) throws -> KafkaProducer {
    let producer = try KafkaProducer(
      kafka.configuration.merging(["transactional.id": id, "transaction.timeout.ms": "20000"]).merging(more))
    try producer.initTransactions(timeoutMilliseconds: 30_000)
    return producer
  }

  @Test(arguments: RealKafka.versions)
  func whatIsCommittedIsSeenAndWhatADestroyedProducerLeftIsNot(_ version: String) throws {
    let kafka = try RealKafka.shared(version: version)
    let topic = try kafka.makeTopic("tx", partitions: 1)
    let id = RealKafka.uniqueName("tx")
    let first = try producer(kafka, id)
    try first.beginTransaction()
    try first.write(["a", "b"], to: topic)
    #expect(try Kcat.values(topic, of: kafka) == [])
    try first.commitTransaction(timeoutMilliseconds: 20_000)
    #expect(try Kcat.values(topic, of: kafka) == ["a", "b"])
    try first.beginTransaction()
    try first.write(["lost"], to: topic)
    first.destroy()
    let second = try producer(kafka, id)
    try second.beginTransaction()
    try second.write(["c"], to: topic)
    try second.commitTransaction(timeoutMilliseconds: 20_000)
    #expect(try Kcat.values(topic, of: kafka) == ["a", "b", "c"])
    #expect(try Kcat.values(topic, of: kafka, isCommittedOnly: false).count == 4)
    let records = try readAll(
      kafka.configuration.merging(["isolation.level": "read_committed"]), TopicPartition(topic, 0), count: 3)
    #expect(records.map(\.value) == ["a", "b", "c"].map { Array($0.utf8) })
  }

  /// The answer to a commit is not waited for: what the next producer of the name finds is all of it or nothing.
  @Test(arguments: RealKafka.versions)
  func theNextProducerSettlesACommitOfUnknownOutcome(_ version: String) async throws {
    let kafka = try RealKafka.shared(version: version)
    let input = try kafka.makeTopic("in", partitions: 1)
    let output = try kafka.makeTopic("out", partitions: 1)
    let group = RealKafka.uniqueName("g")
    let id = RealKafka.uniqueName("tx")
    let member = try Member(kafka.configuration, group: group, topic: input)
    let place = TopicPartition(input, 0)
    let metadata = try #require(try waitForMembership(member))
    var committed: Int64 = 0
    for round in 1...6 {
      let lost = try producer(kafka, id)
      try lost.beginTransaction()
      try lost.write(["\(round)"], to: output)
      try lost.sendOffsets(
        [TopicPartitionOffset(place, offset: Int64(round))], group: metadata, timeoutMilliseconds: 20_000)
      if round > 1 { try? lost.commitTransaction(timeoutMilliseconds: Int32(round - 2)) }
      lost.destroy()
      let next = try producer(kafka, id)
      next.destroy()
      let found = try member.consumer.committed([place], timeoutMilliseconds: 20_000)[place]?.offset ?? 0
      let written = try Kcat.values(output, of: kafka)
      #expect((found == Int64(round)) == written.contains("\(round)"), "round \(round)")
      #expect(found >= committed && written.count { $0 == "\(round)" } <= 1)
      committed = found
    }
    await member.leave()
  }

  private func waitForMembership(_ member: Member) throws -> GroupMetadata? {
    for _ in 0..<1_500 where member.held.isEmpty { usleep(20_000) }
    let metadata = member.consumer.groupMetadata()
    return metadata?.isMember == true ? metadata : nil
  }

  @Test(arguments: RealKafka.versions)
  func aSecondProducerOfTheNameFencesTheFirst(_ version: String) throws {
    let kafka = try RealKafka.shared(version: version)
    let topic = try kafka.makeTopic("fence", partitions: 1)
    let id = RealKafka.uniqueName("tx")
    let old = try producer(kafka, id)
    try old.beginTransaction()
    try old.write(["old"], to: topic)
    let new = try producer(kafka, id)
    try new.beginTransaction()
    try new.write(["new"], to: topic)
    try new.commitTransaction(timeoutMilliseconds: 20_000)
    do throws(KafkaError) {
      try old.commitTransaction(timeoutMilliseconds: 20_000)
      Issue.record("a fenced producer has committed")
    } catch {
      #expect(error.isFenced && error.class == .fatal, "\(error)")
      #expect(error.advice?.contains("transactional.id") == true)
    }
    #expect(old.fatalError?.isFenced == true)
    #expect(try Kcat.values(topic, of: kafka) == ["new"])
  }

  @Test(arguments: RealKafka.versions)
  func offsetsAreTiedToTheGenerationTheyWereReadIn(_ version: String) async throws {
    let kafka = try RealKafka.shared(version: version)
    let topic = try kafka.makeTopic("generation", partitions: 2)
    let group = RealKafka.uniqueName("g")
    let first = try Member(kafka.configuration, group: group, topic: topic)
    let old = try #require(try waitForMembership(first))
    let second = try Member(kafka.configuration, group: group, topic: topic)
    #expect(await eventually { first.held.count == 1 && second.held.count == 1 })
    let place = TopicPartition(topic, 0)
    let offsets = [TopicPartitionOffset(place, offset: 5, metadata: "replay from 3 \u{e9}")]

    let stale = try producer(kafka, RealKafka.uniqueName("tx"))
    try stale.beginTransaction()
    do throws(KafkaError) {
      try stale.sendOffsets(offsets, group: old, timeoutMilliseconds: 20_000)
      Issue.record("offsets of an older generation were taken")
    } catch {
      #expect([.illegalGeneration, .unknownMember].contains(error.code), "\(error)")
      #expect(error.class == .abortTransaction, "\(error)")
    }
    stale.destroy()

    let now = try #require(first.consumer.groupMetadata())
    #expect((now.generation ?? 0) > (old.generation ?? 0) && now.memberID == old.memberID)
    let fresh = try producer(kafka, RealKafka.uniqueName("tx"))
    try fresh.beginTransaction()
    try fresh.sendOffsets(offsets, group: now, timeoutMilliseconds: 20_000)
    try fresh.commitTransaction(timeoutMilliseconds: 20_000)
    let committed = try second.consumer.committed(
      [place, TopicPartition(topic, 1)], timeoutMilliseconds: 20_000)
    #expect(committed == [place: CommittedOffset(offset: 5, metadata: "replay from 3 \u{e9}")])
    await first.leave()
    await second.leave()
  }

  @Test func whoHasNotJoinedSendsNoOffsets() throws {
    let kafka = try RealKafka.shared()
    let consumer = try KafkaConsumer(kafka.configuration.merging(["group.id": RealKafka.uniqueName("g")]))
    let group = try #require(consumer.groupMetadata())
    #expect(!group.isMember)
    let producer = try producer(kafka, RealKafka.uniqueName("tx"))
    try producer.beginTransaction()
    #expect(throws: KafkaError.self) {
      try producer.sendOffsets([TopicPartitionOffset("t", 0, offset: 1)], group: group, timeoutMilliseconds: 5_000)
    }
  }

  /// An open transaction holds the answer back until the next producer of its name ends it.
  @Test(arguments: RealKafka.versions)
  func committedOffsetsAreStable(_ version: String) async throws {
    let kafka = try RealKafka.shared(version: version)
    let topic = try kafka.makeTopic("stable", partitions: 1)
    let member = try Member(kafka.configuration, group: RealKafka.uniqueName("g"), topic: topic)
    let place = TopicPartition(topic, 0)
    let metadata = try #require(try waitForMembership(member))
    let id = RealKafka.uniqueName("tx")
    let open = try producer(kafka, id)
    try open.beginTransaction()
    try open.sendOffsets([TopicPartitionOffset(place, offset: 9)], group: metadata, timeoutMilliseconds: 20_000)
    do throws(KafkaError) {
      let early = try member.consumer.committed([place], timeoutMilliseconds: 400)
      Issue.record("an open transaction's offset was answered: \(early)")
    } catch {
      #expect(error.class == .retriable, "\(error)")
    }
    open.destroy()
    _ = try producer(kafka, id)
    #expect(try member.consumer.committed([place], timeoutMilliseconds: 20_000) == [:])
    await member.leave()
  }
}
