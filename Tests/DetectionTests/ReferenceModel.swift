import Events
import Foundation

@testable import Detection

/// What the detector should find, computed anew for each event from all events so far: slow, and plain enough to be read as
/// the meaning of a rule. Times are 128 bits wide, so that nothing overflows.
final class ReferenceModel {
  private let rules: [RuleSpec]
  private let outOfOrder: Int128
  private var largest: Int128?
  /// By rule, the events that its windows have taken in, in order of arrival.
  private var taken: [[TestEvent]]
  private var episodes: [[ReferenceEpisode]]
  private var findings: [Finding] = []

  init(_ rules: [RuleSpec], outOfOrder: Int64) {
    self.rules = rules
    self.outOfOrder = Int128(outOfOrder)
    taken = rules.map { _ in [] }
    episodes = rules.map { _ in [] }
  }

  func run(_ events: [TestEvent]) -> [Finding] {
    for event in events { take(event) }
    return findings
  }

  private func take(_ event: TestEvent) {
    let time = Int128(event.time)
    largest = max(largest ?? time, time)
    let watermark = (largest ?? time) - outOfOrder
    for number in rules.indices {
      closeDue(number, watermark, cause: event.offset)
      let rule = rules[number]
      guard isSelected(event, rule) else { continue }
      switch rule.kind {
      case .event: takeMatch(event, number, watermark)
      case .window(let span, let lets, let conditions):
        guard time >= watermark else { continue }
        takeWindow(event, number, span, lets, conditions)
      }
    }
  }

  private func isSelected(_ event: TestEvent, _ rule: RuleSpec) -> Bool {
    guard rule.filters.allSatisfy({ $0.holds([], event) == true }) else { return false }
    if let exception = rule.exception, exception.condition.holds([], event) == true,
      event.time < exception.until ?? .max
    {
      return false
    }
    return rule.keySlots.allSatisfy { event.scalar($0) != nil }
  }

  // MARK: Event rules

  private func takeMatch(_ event: TestEvent, _ number: Int, _ watermark: Int128) {
    let rule = rules[number]
    let telling = ReferenceTelling(
      values: [], message: rule.message([], event),
      observations: rule.filters.flatMap { $0.observations([], event) }, window: nil,
      evidence: [evidence(event, rule, isCause: true)], eventCount: 1, firstSeen: event.time)
    if rule.keySlots.isEmpty {
      let episode = ReferenceEpisode(rule, event, key: [], window: nil, telling, severity(rule, [], event), emptyAt: 0)
      return tell(.opened, number, episode, event.offset, event.time)
    }
    holds(event, number, window: nil, telling, [], emptyAt: Int128(event.time) + Int128(rule.keepFiring))
    // Its time may be over already, when the event was late.
    closeDue(number, watermark, cause: event.offset)
  }

  // MARK: Window rules

  private func takeWindow(
    _ event: TestEvent, _ number: Int, _ span: WindowSpan, _ lets: [LetSpec], _ conditions: [ConditionSpec]
  ) {
    let rule = rules[number]
    let key = key(event, rule)
    let window = ReferenceWindow(span, event.time)
    let prior = taken[number].filter { self.key($0, rule) == key }
    taken[number].append(event)
    let inside = (prior + [event]).filter { window.contains($0.time) }
    let members = inside.map { WindowEvent(event: $0, granule: window.granule($0.time)) }
    let values = lets.map { $0.value(members) }
    guard conditions.allSatisfy({ $0.holds(values, event) == true }) else {
      return doesNotHold(event, number, window: window.identity)
    }
    // Of the latest events that are kept, those in the window.
    let kept = prior.suffix(max(0, rule.evidenceLimit - 1)).filter { window.contains($0.time) && window.shows($0.time) }
    let telling = ReferenceTelling(
      values: lets.indices.map { Finding.NamedValue(name: RuleSpec.letName($0), value: values[$0]) },
      message: rule.message(values, event), observations: conditions.flatMap { $0.observations(values, event) },
      window: window.bounds,
      evidence: kept.map { evidence($0, rule, isCause: false) } + [evidence(event, rule, isCause: true)],
      eventCount: Int64(inside.count), firstSeen: inside.map(\.time).min() ?? event.time)
    holds(
      event, number, window: window.identity, telling, values, emptyAt: window.emptyAt + Int128(rule.keepFiring))
  }

  private func key(_ event: TestEvent, _ rule: RuleSpec) -> [Scalar?] { rule.keySlots.map { event.scalar($0) } }

  private func severity(_ rule: RuleSpec, _ values: [Scalar?], _ event: TestEvent) -> Severity {
    rule.severities.first { $0.condition.map { $0.holds(values, event) == true } ?? true }?.severity ?? .informational
  }

  private func evidence(_ event: TestEvent, _ rule: RuleSpec, isCause: Bool) -> Evidence {
    let slots = isCause && rule.evidenceLimit > 0 ? rule.evidenceSlots : []
    return Evidence(
      origin: EventOrigin(partition: 0, offset: event.offset), time: event.time,
      digest: event.json.withUnsafeBufferPointer { SHA256.digest($0) },
      fields: slots.compactMap { slot in event.scalar(slot).map { Evidence.FieldValue(slot: slot, value: $0) } })
  }

  // MARK: Episodes

  /// The key's episode; closed first, when the event comes after its time.
  private func current(_ event: TestEvent, _ number: Int, _ window: Int128?) -> ReferenceEpisode? {
    let key = key(event, rules[number]).map { $0 ?? .null }
    guard let episode = episodes[number].first(where: { $0.state.key == key && $0.window == window }) else {
      return nil
    }
    guard Int128(event.time) > episode.deadline else { return episode }
    close(episode, number, at: episode.deadline, cause: event.offset)
    return nil
  }

  private func holds(
    _ event: TestEvent, _ number: Int, window: Int128?, _ telling: ReferenceTelling, _ values: [Scalar?],
    emptyAt: Int128
  ) {
    let rule = rules[number]
    let severity = severity(rule, values, event)
    guard let episode = current(event, number, window) else {
      let key = key(event, rule).map { $0 ?? .null }
      let episode = ReferenceEpisode(rule, event, key: key, window: window, telling, severity, emptyAt: emptyAt)
      episodes[number].append(episode)
      if !episode.isPending { tell(.opened, number, episode, event.offset, event.time) }
      return
    }
    episode.falseSince = nil
    episode.emptyAt = max(episode.emptyAt, emptyAt)
    episode.see(event)
    if episode.isPending {
      guard Int128(event.time) - Int128(episode.began) >= Int128(rule.pending) else { return }
      episode.open(event, telling, severity)
      return tell(.opened, number, episode, event.offset, event.time)
    }
    let isDue = Int128(event.time) - Int128(episode.lastTold) >= Int128(rule.updateEvery)
    guard severity > episode.state.severity || isDue else {
      episode.state.heldBack += 1
      episode.telling.values = telling.values
      return
    }
    episode.telling = telling
    episode.state.severity = max(severity, episode.state.severity)
    episode.state.eventCount = max(episode.state.eventCount, telling.eventCount)
    episode.lastTold = max(episode.lastTold, event.time)
    tell(.updated, number, episode, event.offset, event.time)
  }

  private func doesNotHold(_ event: TestEvent, _ number: Int, window: Int128?) {
    guard let episode = current(event, number, window) else { return }
    if episode.isPending {
      episodes[number].removeAll { $0 === episode }
      return
    }
    episode.see(event)
    if episode.falseSince == nil { episode.falseSince = event.time }
    if rules[number].keepFiring == 0 { close(episode, number, at: Int128(event.time), cause: event.offset) }
  }

  private func closeDue(_ number: Int, _ watermark: Int128, cause: Int64) {
    let due = episodes[number].filter { $0.deadline <= watermark }
    for episode in due.sorted(by: { ($0.deadline, $0.begunOffset) < ($1.deadline, $1.begunOffset) }) {
      close(episode, number, at: episode.deadline, cause: cause)
    }
  }

  private func close(_ episode: ReferenceEpisode, _ number: Int, at time: Int128, cause: Int64) {
    episodes[number].removeAll { $0 === episode }
    if !episode.isPending { tell(.closed, number, episode, cause, Int64(time)) }
  }

  private func tell(
    _ transition: Finding.Transition, _ number: Int, _ episode: ReferenceEpisode, _ cause: Int64, _ time: Int64
  ) {
    if transition != .opened { episode.state.revision += 1 }
    let telling = episode.telling
    findings.append(
      Finding(
        rule: number, cause: cause, order: cause, transition: transition, time: time, episode: episode.state,
        message: telling.message, observations: telling.observations, values: telling.values, window: telling.window,
        hits: [], evidence: telling.evidence))
    episode.state.heldBack = 0
  }
}
