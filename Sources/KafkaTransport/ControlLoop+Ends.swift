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

  /// Whether all that was there at the start has been read and what came of it is written, by all instances of the group
  /// together: then nothing is left to any of them. What is ours is known first hand; of what others read, or nobody just now,
  /// the group's committed offsets tell, with which all outputs and blocks go.
  var hasReadAll: Bool {
    guard let sourceEnds, hasAssignment, pending.isEmpty, restoring.isEmpty else { return false }
    guard held.values.allSatisfy({ $0.worker.state.end >= $0.end && !$0.worker.state.isGathering }) else {
      return false
    }
    let ours = Set(held.keys.map { TopicPartition($0.topic, $0.number) })
    guard sourceEnds.isReached(ours: ours) else { return false }
    if runner.topology.exchanges.isEmpty { return true }
    if committer.hasUnsettled
      || held.contains(where: { $0.key.topic == runner.plan.source.topic && !$0.value.worker.state.isDrained })
    {
      return false
    }
    return haveExchangesEnded(ours)
  }

  /// Where the exchanges end is asked once the source has been read by everybody and all that came of it is written; nothing
  /// that it brought comes after that.
  private func haveExchangesEnded(_ ours: Set<TopicPartition>) -> Bool {
    guard let exchangeEnds else {
      let partitions = zip(runner.topology.exchanges, counts.exchanges).flatMap { exchange, count in
        (0..<Int32(count)).map { TopicPartition(exchange.topic, $0) }
      }
      // A client that reads committed records only would not be told of blocks whose commit is decided but not yet marked
      // in the log.
      exchangeEnds = EndWatch(
        consumer, runner.settings, partitions, countsHidden: true, skipsUnread: false)
      return false
    }
    for (partition, held) in held where partition.topic != runner.plan.source.topic {
      guard let end = exchangeEnds.end(of: TopicPartition(partition.topic, partition.number)),
        held.worker.state.end >= end
      else {
        // Asks again, should the first question have failed.
        _ = exchangeEnds.isReached(ours: [])
        return false
      }
    }
    return exchangeEnds.isReached(ours: ours)
  }
}
