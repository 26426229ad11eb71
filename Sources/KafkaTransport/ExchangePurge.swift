internal import Dispatch
internal import Kafka
internal import Locking
internal import Pipeline
internal import Telemetry

/// Deletes from the topics of exchanges what saved state covers: nothing before a snapshot's offset is ever read again. These
/// topics have no retention, so nobody else does it.
final class ExchangePurge: Sendable {
  /// Nanoseconds between two deletions in one partition: brokers free whole segments only.
  private static let every: Int64 = 60_000_000_000
  private static let timeout: Int32 = 10_000

  private let settings: KafkaConfiguration
  private let topics: Set<String>
  private let lastOnes = Lock<[PartitionID: Int64]>([:])
  private let queue = DispatchQueue(label: "tocsin.purge")
  private let log = Logger(module: "KafkaTransport")

  init(_ settings: KafkaConfiguration, _ topology: Topology) {
    self.settings = settings
    topics = Set(topology.exchanges.map(\.topic))
  }

  /// A snapshot that is true at `offset` is written and committed. Returns at once.
  func saved(_ partition: PartitionID, at offset: Int64) {
    guard topics.contains(partition.topic), offset > 0 else { return }
    let now = Int64(bitPattern: DispatchTime.now().uptimeNanoseconds)
    let isDue = lastOnes.withLock { lastOnes in
      if let last = lastOnes[partition], now - last < Self.every { return false }
      lastOnes[partition] = now
      return true
    }
    guard isDue else { return }
    queue.async { self.delete(partition, before: offset) }
  }

  private func delete(_ partition: PartitionID, before offset: Int64) {
    do throws(KafkaError) {
      let admin = try KafkaAdmin(settings)
      try admin.deleteRecords(
        before: [TopicPartitionOffset(partition.topic, partition.number, offset: offset)],
        timeoutMilliseconds: Self.timeout)
      log.debug("an exchange was purged", ["partition": "\(partition)", "before": "\(offset)"])
    } catch {
      // What is left is deleted with the next one.
      log.warning(
        "an exchange could not be purged; it grows until this succeeds",
        ["partition": "\(partition)", "before": "\(offset)", "error": "\(error)"])
    }
  }
}
