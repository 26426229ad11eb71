internal import Kafka
internal import Pipeline
internal import Telemetry

extension ControlLoop {
  /// Leaves the group by name, so that its other members get the partitions at once: a member of a name that only closes is
  /// waited for.
  func leave() {
    log.info("leaving the group")
    do throws(KafkaError) {
      try consumer.unsubscribe()
    } catch {
      return log.warning("the group could not be left", ["error": "\(error)"])
    }
    let deadline = ContinuousClock.now + .milliseconds(KafkaRunner.leavePatience)
    while consumer.memberID != nil, ContinuousClock.now < deadline {
      if let event = consumer.poll(timeoutMilliseconds: Self.pollTimeout) { answerWhileLeaving(event) }
    }
    // librdkafka forgets its id when it queues the request, which the end of the client may overtake. The coordinator
    // answers one connection in order: with an answer to a later question it has seen the request.
    let anyPartition = TopicPartition(runner.plan.source.topic, 0)
    _ = try? consumer.committed([anyPartition], timeoutMilliseconds: Self.leaveAnswer)
  }

  func answerWhileLeaving(_ event: ControlEvent) {
    switch event {
    case .assign(_, let rebalance): answerLast { () throws(KafkaError) in try consumer.assign([], rebalance) }
    case .revoke(let partitions, _, let rebalance):
      answerLast { () throws(KafkaError) in try consumer.unassign(partitions, rebalance) }
    case .log(let line): ClientLog.tell(line, Logger(module: "librdkafka"))
    case .error, .statistics, .strayRecord: break
    }
  }

  /// Answers an assignment whose places are still being looked for: librdkafka takes back only what it was told to read.
  func answerPending() {
    guard !pending.isEmpty else { return }
    let ends = pending.map { TopicPartitionOffset($0, offset: TopicPartitionOffset.end) }
    pending = []
    answerLast { () throws(KafkaError) in try consumer.assign(ends, consumer.rebalanceProtocol) }
  }

  /// All is settled by then: what goes wrong is told, and no reason to fail.
  private func answerLast(_ body: () throws(KafkaError) -> Void) {
    do throws(KafkaError) {
      try body()
    } catch {
      log.warning("the group was not answered", ["error": "\(error)"])
    }
  }

  /// What this member had may have been others' meanwhile: it is dropped, and a new membership begins.
  func forgotten() {
    log.warning("the group had forgotten this member and took it in as another: taking partitions up anew")
    answerPending()
    loseAll()
    ended = .void
    // One of a name is replaced by the next; another would be waited for.
    guard runner.settings.memberName == nil else { return }
    closeConsumer()
  }

  /// Leaves the group, unless a member of a name keeps its place.
  func closeConsumer() {
    let isLeft = consumer.close(timeoutMilliseconds: 10_000) { answerWhileLeaving($0) }
    if !isLeft { log.warning("the group was not left in time; it finds out by the session time-out") }
  }

  private func loseAll() {
    epoch.advance()
    pending = []
    give(up: Array(held.keys), isLost: true, patience: 0)
  }

  /// The group has another member of our name. It may be another process, which has then taken our transactional id too; or
  /// ourselves, where a first attempt to join was answered late and a second one had followed it.
  func fenced(_ error: KafkaError) {
    let place = held.keys.min() ?? PartitionID(runner.plan.source.topic, 0)
    loseAll()
    let isTaken = lastGroup.map { membership.isNameTaken(place, $0) } ?? nil
    guard isTaken == false else {
      let name = runner.settings.memberName ?? runner.settings.transactionalID
      return runner.fail(
        PipelineFailure(
          .fenced,
          "another process runs as `\(name)` and has taken over; give each process a name of its own with --instance "
            + "[\(error.code.name)]"))
    }
    log.warning("the group had not heard of this member for too long and took it for another: joining anew")
    ended = .void
  }

  /// Partitions that nobody has are given out again where the group is left and joined anew; see `OrphanWatch`.
  func lookForOrphans() {
    guard let orphans, hasAssignment, pending.isEmpty else { return }
    let found = orphans.look(ours: Set(held.keys.map { TopicPartition($0.topic, $0.number) }))
    guard !found.isEmpty else { return }
    log.warning(
      "partitions belong to no member: joining the group anew, so that it gives them out",
      ["partitions": found.sorted().map(\.description).joined(separator: ", ")])
    ended = .rejoining
  }
}
