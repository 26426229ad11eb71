internal import Kafka
internal import Pipeline
internal import Telemetry

/// Where reading begins, and whether it has come to its end.
extension ControlLoop {
  func tell(_ places: [TakeOver.Place]) {
    for place in places {
      let (start, partition) = (place.recovery.start, "\(place.partition)")
      for note in place.recovery.notes {
        note.isGrave ? log.error(note.text, ["partition": partition]) : log.info(note.text, ["partition": partition])
      }
      guard start.offset < start.committed else { continue }
      log.info(
        "reading again, with outputs muted, up to where the group had come",
        [
          "partition": partition, "from": "\(start.offset)", "to": "\(start.committed)",
          "records": "\(start.committed - start.offset)",
        ])
    }
  }

  /// Whether all that was there when its partitions were taken over has been read, and nothing is being taken over. What
  /// that sent through exchanges is read too, as far as its partitions are ours.
  var hasReadAll: Bool {
    guard !held.isEmpty, pending.isEmpty, restoring.isEmpty else { return false }
    guard held.values.allSatisfy({ $0.worker.state.end >= $0.end && !$0.worker.state.isGathering }) else {
      return false
    }
    if runner.topology.exchanges.isEmpty { return true }
    if committer.hasUnsettled
      || held.contains(where: { $0.key.topic == runner.plan.source.topic && !$0.value.worker.state.isDrained })
    {
      return false
    }
    if hasAskedEnds { return true }
    askEnds()
    return false
  }

  /// Where the exchanges end now that the source has been read and all that came of it is written. A client that reads
  /// committed records only would not be told of blocks whose commit is decided but not yet marked in the log.
  private func askEnds() {
    do throws(KafkaError) {
      let reader = try KafkaReader(runner.settings.consumer.merging(["isolation.level": "read_uncommitted"]))
      for partition in held.keys where partition.topic != runner.plan.source.topic {
        let bounds = try reader.watermarkOffsets(
          TopicPartition(partition.topic, partition.number), timeoutMilliseconds: 10_000)
        held[partition]?.end = bounds.high
      }
      hasAskedEnds = true
    } catch {
      log.warning("where the exchanges end was not to be had and is asked again", ["error": "\(error)"])
    }
  }
}
