import Events

@testable import Detection

/// What the last finding of an episode said.
struct ReferenceTelling {
  var values: [Finding.NamedValue]
  var message: String
  var observations: [Observation]
  var window: Finding.TimeRange?
  var evidence: [Evidence]
  var eventCount: Int64
  var firstSeen: Int64
}

/// An episode of the reference model.
final class ReferenceEpisode {
  var state: EpisodeState
  var telling: ReferenceTelling
  let window: Int128?
  var isPending: Bool
  let began: Int64
  let begunOffset: Int64
  var emptyAt: Int128
  var falseSince: Int64?
  var lastTold: Int64
  private let keepFiring: Int128

  init(
    _ rule: RuleSpec, _ event: TestEvent, key: [Scalar], window: Int128?, _ telling: ReferenceTelling,
    _ severity: Severity, emptyAt: Int128
  ) {
    state = EpisodeState(
      opened: event.time, opening: EventOrigin(partition: 0, offset: event.offset), revision: 0, key: key,
      severity: severity,
      eventCount: telling.eventCount, firstSeen: telling.firstSeen, lastSeen: event.time, heldBack: 0)
    self.telling = telling
    self.window = window
    isPending = rule.pending > 0
    began = event.time
    begunOffset = event.offset
    self.emptyAt = emptyAt
    lastTold = event.time
    keepFiring = Int128(rule.keepFiring)
  }

  /// When it ends if no further event comes.
  var deadline: Int128 {
    guard let falseSince else { return emptyAt }
    return min(emptyAt, Int128(falseSince) + keepFiring)
  }

  func see(_ event: TestEvent) {
    state.eventCount += 1
    state.firstSeen = min(state.firstSeen, event.time)
    state.lastSeen = max(state.lastSeen, event.time)
  }

  func open(_ event: TestEvent, _ telling: ReferenceTelling, _ severity: Severity) {
    isPending = false
    self.telling = telling
    state.opened = event.time
    state.opening = EventOrigin(partition: 0, offset: event.offset)
    state.severity = severity
    state.eventCount = max(state.eventCount, telling.eventCount)
    lastTold = event.time
  }
}
