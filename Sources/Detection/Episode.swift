internal import Events
internal import Expressions

/// Which episode: of which key, and of which window where each window has episodes of its own (0 elsewhere).
struct EpisodeKey: Hashable {
  var hash: KeyHash
  var window: Int64
}

/// An event as episodes see it.
struct EventPoint {
  var row: Int
  var cause: Cause
  /// Where its record stands in the source topic.
  var origin: EventOrigin
  var time: Int64
  /// The watermark after it.
  var watermark: Int64
}

/// What caused a finding: a record of the log that is read. Of several events in one record, the order tells which.
struct Cause: Hashable, Sendable {
  var offset: Int64
  var order: Int64
}

/// What a finding says beyond its episode's state; made only when there is one to tell.
struct Telling {
  var key: [Scalar]
  var severity: Severity
  var message: String
  var observations: [Observation]
  var values: [Finding.NamedValue]
  var window: Finding.TimeRange?
  var hits: [TableHit]
  var evidence: [Evidence]
  var eventCount: Int64
  var firstSeen: Int64
}

/// What episodes ask of their rule.
protocol EpisodeTeller: AnyObject {
  /// All that a finding about this event says.
  func telling(_ point: EventPoint) -> Telling
  /// The severity at this event; asked for each event of an open episode, so it does no more than it must.
  func severity(_ point: EventPoint) -> Severity
  /// The values of the `let`s at this event, written over those given.
  func refresh(_ values: inout [Finding.NamedValue], _ point: EventPoint)
}

/// An alert's life: pending while its condition has not held for long enough, then open until it has been false for long
/// enough. Rare, so an object.
final class Episode {
  var state: EpisodeState
  var telling: Telling
  var isPending: Bool
  /// When the condition began to hold, and the record at which it did.
  let began: Int64
  let begun: Cause
  /// No event that counts and came after that one lies before this time.
  let begunWatermark: Int64
  /// When it ends if no further event comes.
  var emptyAt: Int64
  /// Since when the condition has been false; nil: it holds.
  var falseSince: Int64?
  var lastTold: Int64
  /// The deadline under which it stands in the heap.
  var scheduled: Int64
  /// Table entries of the telling that were read back, until the tables are at hand.
  var unresolved: [NamedHit] = []
  /// Whether it is among those that changed since the last cut, and whether a cut has told it.
  var isNoted = false
  var isSaved = false

  convenience init(
    _ state: EpisodeState, _ telling: Telling, begun: Cause, watermark: Int64, isPending: Bool, emptyAt: Int64
  ) {
    self.init(
      state, telling, began: state.opened, begun: begun, watermark: watermark, isPending: isPending, emptyAt: emptyAt)
  }

  init(
    _ state: EpisodeState, _ telling: Telling, began: Int64, begun: Cause, watermark: Int64, isPending: Bool,
    emptyAt: Int64
  ) {
    self.state = state
    self.telling = telling
    self.isPending = isPending
    self.began = began
    self.begun = begun
    begunWatermark = watermark
    self.emptyAt = emptyAt
    lastTold = state.opened
    scheduled = emptyAt
  }
}
