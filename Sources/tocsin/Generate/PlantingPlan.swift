/// Where planted events stand among the usual ones: each event has a slot (its number), and time runs evenly over the
/// slots, so that a plan for slots is a plan for times. All is decided before the first event is made.
struct PlantingPlan<Planted: Sendable>: Sendable {
  /// An event with the truth that it begins; nil: it is a later event of a case, or a decoy.
  struct Entry: Sendable {
    var event: Planted
    /// The rule that finds it and whom the alert is about.
    var truth: (rule: String, key: String, events: Int)?
  }

  /// How many events there will be.
  let slotCount: Int
  private var entries: [Int: Entry] = [:]

  init(slotCount: Int) { self.slotCount = slotCount }

  /// The planted event of a slot; nil: the usual traffic has it.
  subscript(slot: Int) -> Entry? { entries[slot] }

  /// How many events are planted.
  var count: Int { entries.count }

  /// Plants a case: its events at random slots, one in each of as many equal parts of the `span` slots from `start`.
  /// Nothing is planted where they do not fit.
  mutating func plant(
    _ events: [Planted], truth: (rule: String, key: String)?, from start: Int, span: Int, _ random: inout SeededRandom
  ) {
    let part = span / max(1, events.count)
    guard start >= 0, part > 0, start + span <= slotCount else { return }
    var slots: [Int] = []
    for index in events.indices {
      let first = start + index * part
      guard let slot = freeSlot(first + random.next(in: 0...(part - 1)), in: first..<(first + part)) else { return }
      slots.append(slot)
    }
    for (index, slot) in slots.enumerated() {
      let truth = index == 0 ? truth.map { ($0.rule, $0.key, events.count) } : nil
      entries[slot] = Entry(event: events[index], truth: truth)
    }
  }

  /// The first free slot of a range at or after the wanted one, or else from its beginning.
  private func freeSlot(_ wanted: Int, in range: Range<Int>) -> Int? {
    (wanted..<range.upperBound).first { entries[$0] == nil } ?? range.first { entries[$0] == nil }
  }
}

/// The settings of a generator of planted cases.
struct PlantingSettings: Sendable {
  /// How many events, the planted ones among them.
  var events: Int
  var seed: UInt64
  var partitions: Int
  /// The first event's time, in milliseconds since 1970.
  var startMilliseconds: Int64

  /// Event time from one event to the next.
  static let slotMilliseconds = 250

  /// Slots in a span of event time.
  static func slots(minutes: Int) -> Int { minutes * 60_000 / slotMilliseconds }

  /// How many cases of a kind are planted: one in so many events, at least one, and not more than bounds memory.
  func cases(oneIn events: Int) -> Int { min(500, max(1, self.events / events)) }

  /// A random slot at which a case of `span` slots can begin; -1 (no such slot) where it does not fit.
  func start(span: Int, _ random: inout SeededRandom) -> Int {
    span <= events ? random.next(in: 0...(events - span)) : -1
  }

  /// The time of a slot; usual events come out of order by up to 5 s and now and then late by up to two minutes.
  func time(slot: Int) -> Int64 { startMilliseconds + Int64(slot) * Int64(Self.slotMilliseconds) }

  /// How much before its slot a usual event is dated.
  static func delay(_ random: inout SeededRandom) -> Int64 {
    if random.happens(2, outOf: 1_000) { return Int64(random.next(in: 10_000...120_000)) }
    return random.happens(1, outOf: 10) ? Int64(random.next(in: 1...5_000)) : 0
  }
}
