internal import Glibc
internal import Kafka

/// Finds out whether another process has taken a producer's transactional id.
enum NameProbe {
  /// Milliseconds of one call.
  private static let callTimeout: Int32 = 1_000
  /// How long the coordinator is asked.
  private static let patience = Duration.seconds(30)

  /// Takes part in a group with a transaction that is left open: the transaction's coordinator answers first, and knows who
  /// has the name; what the group answers after it does not matter. The producer must be destroyed after it.
  ///
  /// - Returns: nil where no coordinator has answered.
  static func isTaken(_ producer: KafkaProducer, _ offset: TopicPartitionOffset, _ group: GroupMetadata) -> Bool? {
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
      do throws(KafkaError) {
        try producer.beginTransaction()
        try producer.sendOffsets([offset], group: group, timeoutMilliseconds: callTimeout)
        return false
      } catch {
        let cause = producer.fatalError ?? error
        if error.isProducerFenced || cause.isProducerFenced { return true }
        // The group's refusal of this member shows that the coordinator has let the producer pass.
        if [.fencedInstanceID, .unknownMember, .illegalGeneration].contains(error.code) { return false }
        if error.class != .retriable && error.code != .state { return nil }
        usleep(200_000)
      }
    }
    return nil
  }
}
