import Pipeline

/// `LeadWatch`: holds back partitions of the source that lead. It wakes their workers, which look then whether there is news for
/// exchanges.
extension Process {
  var isLeadReady: Bool { watchesLead && world.now >= nextLead }

  var watchesLead: Bool {
    guard world.scenario.topology != nil, case .running = control else { return false }
    return held.contains { world.scenario.isSource($0.partition) && $0.hasStarted }
  }

  func stepLead() {
    nextLead = world.now + (isHoldingBack ? second / 5 : second)
    let own = held.filter { world.scenario.isSource($0.partition) && $0.hasStarted }
    let others = world.scenario.sources.filter { partition in !own.contains { $0.partition == partition } }
    var standings: [PartitionID: LeadGate.Standing] = [:]
    for worker in own {
      // `LeadWatch.quietAfter`.
      let isQuiet = worker.isDrained && !worker.isBlocked && world.now - worker.lastRecord >= second
      standings[worker.partition] = LeadGate.Standing(
        watermark: worker.task.watermark, offset: worker.task.nextOffset, isQuiet: isQuiet)
    }
    for partition in others {
      standings[partition] = remote[partition] ?? LeadGate.Standing(watermark: .min, offset: -1, isQuiet: false)
    }
    let limit = gate.limit(standings, now: world.now)
    isHoldingBack = own.contains { $0.task.watermark > limit }
    for worker in own {
      worker.leadLimit = limit
      worker.isWoken = true
    }
    ask(others)
  }

  private func ask(_ others: [PartitionID]) {
    guard !others.isEmpty else { return }
    let found = try? world.call(.fetchOffsets, at: .group) { () throws(CallError) in
      try world.broker.fetchOffsets(others, isStable: true)
    }
    guard let found else { return }
    remote = found.mapValues {
      let position = Position(offset: $0.offset, metadata: $0.metadata)
      return LeadGate.Standing(
        watermark: position.watermark ?? .min, offset: position.offset, isQuiet: position.isIdle)
    }
  }
}
