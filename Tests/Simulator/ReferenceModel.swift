/// What the simulated pipeline means, computed anew for each event from all events so far: sort, group, evaluate. Slow, and
/// independent of everything the program does.
struct ReferenceModel {
  /// An event of the simulated input; times in milliseconds.
  struct Event {
    var offset: Int64
    var time: Int64
    var card: String
    var amount: Int
    /// Where there are exchanges.
    var shop: String?
  }

  /// An alert, by what tells it apart.
  struct Alert: Hashable {
    var cause: Int64
    var rule: String
    var state: String
    var card: String?
    var count: Int
  }

  /// An alert that is open.
  private struct Episode {
    var rule: String
    var card: String
    /// Of a tumbling window, where it begins.
    var window: Int64?
    var begun: Int64
    var count: Int
    var lastTold: Int64
    /// 0 low, 1 high.
    var grade: Int
    /// When nothing is left in its window, plus the time it is kept for.
    var emptyAt: Int64
    var falseSince: Int64?
    var keep: Int64

    var deadline: Int64 { falseSince.map { min(emptyAt, $0 + keep) } ?? emptyAt }
  }

  static let outOfOrder: Int64 = 4_000
  /// `over: 40s`, kept in sixtieths of it, rounded up to a nanosecond.
  private static let burstSpan: Int64 = 40_000
  private static let burstGranule: Int64 = 666_666_667
  private static let minuteSpan: Int64 = 30_000

  private(set) var alerts: [Alert] = []
  private(set) var late: [Int64] = []
  private var seen: [Event] = []
  private var episodes: [Episode] = []
  private var largest = Int64.min

  init(_ events: [Event]) { for event in events { take(event) } }

  private mutating func take(_ event: Event) {
    largest = max(largest, event.time)
    let watermark = largest - Self.outOfOrder
    let isLate = event.time < watermark
    if isLate { late.append(event.offset) }
    if event.amount >= 97 {
      alerts.append(Alert(cause: event.offset, rule: "large", state: "opened", card: nil, count: 1))
    }
    close("hot", watermark, event)
    if event.amount >= 85 {
      holds(event, "hot", grade: 0, count: 1, emptyAt: event.time + 20_000, keep: 20_000, updateEvery: 8_000)
      close("hot", watermark, event)
    }
    close("burst", watermark, event)
    if !isLate { burst(event) }
    close("minute", watermark, event)
    if !isLate {
      minute(event)
      seen.append(event)
    }
  }

  private mutating func burst(_ event: Event) {
    let first = floor((event.time - Self.burstSpan) * 1_000_000, Self.burstGranule)
    let last = floor(event.time * 1_000_000, Self.burstGranule)
    let inside = group(event) { (first...last).contains(floor($0.time * 1_000_000, Self.burstGranule)) }
    guard inside.count >= 4, inside.reduce(0, { $0 + $1.amount }) >= 150 else {
      return doesNotHold(event, "burst", window: nil)
    }
    holds(
      event, "burst", grade: inside.count >= 6 ? 1 : 0, count: inside.count,
      emptyAt: event.time + Self.burstSpan + 5_000, keep: 5_000, updateEvery: 10_000)
  }

  private mutating func minute(_ event: Event) {
    let window = floor(event.time, Self.minuteSpan)
    let inside = group(event) { floor($0.time, Self.minuteSpan) == window }
    guard inside.count >= 3, inside.contains(where: { $0.amount >= 60 }) else {
      return doesNotHold(event, "minute", window: window)
    }
    holds(
      event, "minute", window: window, grade: 0, count: inside.count, emptyAt: (window + 1) * Self.minuteSpan, keep: 0,
      updateEvery: 5_000)
  }

  /// The card's events so far, this one among them.
  private func group(_ event: Event, _ isInside: (Event) -> Bool) -> [Event] {
    (seen.filter { $0.card == event.card } + [event]).filter(isInside)
  }

  private func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
    value / divisor - (value % divisor < 0 ? 1 : 0)
  }

  // MARK: Episodes

  private func place(_ event: Event, _ rule: String, _ window: Int64?) -> Int? {
    episodes.firstIndex { $0.rule == rule && $0.card == event.card && $0.window == window }
  }

  private mutating func current(_ event: Event, _ rule: String, _ window: Int64?) -> Int? {
    guard let place = place(event, rule, window) else { return nil }
    if event.time <= episodes[place].deadline { return place }
    end(place, event)
    return nil
  }

  private mutating func holds(
    _ event: Event, _ rule: String, window: Int64? = nil, grade: Int, count: Int, emptyAt: Int64, keep: Int64,
    updateEvery: Int64
  ) {
    guard let place = current(event, rule, window) else {
      episodes.append(
        Episode(
          rule: rule, card: event.card, window: window, begun: event.offset, count: count, lastTold: event.time,
          grade: grade, emptyAt: emptyAt, keep: keep))
      return tell("opened", episodes.count - 1, event)
    }
    episodes[place].falseSince = nil
    episodes[place].emptyAt = max(episodes[place].emptyAt, emptyAt)
    episodes[place].count += 1
    guard grade > episodes[place].grade || event.time - episodes[place].lastTold >= updateEvery else { return }
    episodes[place].grade = max(grade, episodes[place].grade)
    episodes[place].count = max(count, episodes[place].count)
    episodes[place].lastTold = max(event.time, episodes[place].lastTold)
    tell("updated", place, event)
  }

  private mutating func doesNotHold(_ event: Event, _ rule: String, window: Int64?) {
    guard let place = current(event, rule, window) else { return }
    episodes[place].count += 1
    if episodes[place].falseSince == nil { episodes[place].falseSince = event.time }
    if episodes[place].keep == 0 { end(place, event) }
  }

  private mutating func close(_ rule: String, _ watermark: Int64, _ event: Event) {
    let due = episodes.filter { $0.rule == rule && $0.deadline <= watermark }
    for episode in due.sorted(by: { ($0.deadline, $0.begun) < ($1.deadline, $1.begun) }) {
      let place = episodes.firstIndex {
        $0.rule == rule && $0.card == episode.card && $0.window == episode.window
      }
      if let place { end(place, event) }
    }
  }

  private mutating func end(_ place: Int, _ event: Event) {
    tell("closed", place, event)
    episodes.remove(at: place)
  }

  private mutating func tell(_ state: String, _ place: Int, _ event: Event) {
    let episode = episodes[place]
    alerts.append(
      Alert(cause: event.offset, rule: episode.rule, state: state, card: episode.card, count: episode.count))
  }
}
