internal import Kafka
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
  }

  func answerWhileLeaving(_ event: ControlEvent) {
    switch event {
    case .assign(_, let rebalance): answer { () throws(KafkaError) in try consumer.assign([], rebalance) }
    case .revoke(let partitions, _, let rebalance):
      answer { () throws(KafkaError) in try consumer.unassign(partitions, rebalance) }
    case .log(let line): ClientLog.tell(line, Logger(module: "librdkafka"))
    case .error, .statistics, .strayRecord: break
    }
  }
}
