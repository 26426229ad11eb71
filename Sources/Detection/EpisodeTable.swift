internal import Events
internal import Expressions

/// The episodes of one rule in one partition.
final class EpisodeTable {
  private struct Deadline: Comparable {
    var time: Int64
    var begunOrder: Int64
    var key: EpisodeKey

    static func < (left: Deadline, right: Deadline) -> Bool {
      (left.time, left.begunOrder) < (right.time, right.begunOrder)
    }
    static func == (left: Deadline, right: Deadline) -> Bool {
      (left.time, left.begunOrder) == (right.time, right.begunOrder)
    }
  }

  private let plan: RulePlan
  private let number: Int
  private let limit: Int
  // Unsafe: it owns this table.
  private unowned(unsafe) let teller: any EpisodeTeller
  private(set) var episodes: [EpisodeKey: Episode] = [:]
  private var presence = EpisodePresence()
  /// What the next cut tells: see `cut`.
  var changes = EpisodeChanges()
  private var deadlines = Heap<Deadline>() {
    didSet { nextDeadline = deadlines.first?.time ?? .max }
  }
  /// The earliest deadline; `Int64.max` where there is none.
  private(set) var nextDeadline = Int64.max
  var findings: [Finding] = []
  /// Episodes not opened because so many were open.
  private(set) var unopened = 0

  init(_ plan: RulePlan, number: Int, limit: Int, teller: any EpisodeTeller) {
    self.plan = plan
    self.number = number
    self.limit = limit
    self.teller = teller
  }

  var count: Int { episodes.count }
  var deadlineCount: Int { deadlines.count }
  /// Whether there may be an episode of the key: asked for each event, most of which have none.
  func mayHave(_ hash: KeyHash) -> Bool { presence.mayHave(hash) }

  func takeUnopened() -> Int {
    defer { unopened = 0 }
    return unopened
  }

  /// The smallest offset at which an episode that still lives began, and the earliest time of an event that counts since.
  var oldest: (offset: Int64, time: Int64)? {
    guard !episodes.isEmpty else { return nil }
    var offset = Int64.max
    var time = Int64.max
    for episode in episodes.values {
      offset = min(offset, episode.begun.offset)
      time = min(time, episode.began, episode.begunWatermark)
    }
    return (offset, time)
  }

  // MARK: Content

  func put(_ key: EpisodeKey, _ episode: Episode) {
    if episodes.updateValue(episode, forKey: key) == nil { presence.insert(key.hash) }
  }

  func take(_ key: EpisodeKey) {
    if episodes.removeValue(forKey: key) != nil { presence.remove(key.hash) }
  }

  /// Leaves another table without its episodes.
  func takeAll(of other: EpisodeTable) {
    swap(&episodes, &other.episodes)
    swap(&presence, &other.presence)
    other.episodes = [:]
    other.presence = EpisodePresence()
  }

  // MARK: Events

  /// An event at which the condition holds. `emptyAt`: when the episode ends if nothing more comes.
  func holds(_ key: EpisodeKey, _ point: EventPoint, emptyAt: Int64) {
    guard let episode = current(key, point) else { return begin(key, point, emptyAt) }
    note(key, episode)
    episode.falseSince = nil
    if emptyAt > episode.emptyAt { episode.emptyAt = emptyAt }
    count(episode, point)
    if episode.isPending {
      guard EventClock.saturated(point.time, minus: episode.began) >= plan.pending else { return }
      return open(key, episode, point)
    }
    let severity = teller.severity(point)
    let sinceTold = EventClock.saturated(point.time, minus: episode.lastTold)
    guard severity > episode.state.severity || sinceTold >= plan.updateEvery else {
      episode.state.heldBack += 1
      teller.refresh(&episode.telling.values, point)
      return
    }
    episode.telling = teller.telling(point)
    episode.state.severity = max(severity, episode.state.severity)
    episode.state.eventCount = max(episode.state.eventCount, episode.telling.eventCount)
    episode.lastTold = max(episode.lastTold, point.time)
    tell(.updated, episode, cause: point.cause, time: point.time)
  }

  /// An event at which the condition does not hold.
  func doesNotHold(_ key: EpisodeKey, _ point: EventPoint) {
    guard let episode = current(key, point) else { return }
    if episode.isPending { return remove(key, episode) }
    note(key, episode)
    count(episode, point)
    if episode.falseSince == nil { episode.falseSince = point.time }
    if plan.keepFiring == 0 {
      close(key, episode, at: point.time, cause: point.cause)
    } else {
      schedule(key, episode)
    }
  }

  private func count(_ episode: Episode, _ point: EventPoint) {
    episode.state.eventCount += 1
    episode.state.lastSeen = max(episode.state.lastSeen, point.time)
    episode.state.firstSeen = min(episode.state.firstSeen, point.time)
  }

  /// The key's episode, unless its time was over before this event.
  private func current(_ key: EpisodeKey, _ point: EventPoint) -> Episode? {
    guard presence.mayHave(key.hash), let episode = episodes[key] else { return nil }
    let deadline = deadline(of: episode)
    guard point.time > deadline else { return episode }
    close(key, episode, at: deadline, cause: point.cause)
    return nil
  }

  private func begin(_ key: EpisodeKey, _ point: EventPoint, _ emptyAt: Int64) {
    guard episodes.count < limit else {
      unopened += 1
      return
    }
    let telling = teller.telling(point)
    let state = EpisodeState(
      opened: point.time, opening: point.origin, revision: 0, key: telling.key, severity: telling.severity,
      eventCount: telling.eventCount, firstSeen: telling.firstSeen, lastSeen: point.time, heldBack: 0)
    let episode = Episode(
      state, telling, begun: point.cause, watermark: point.watermark, isPending: plan.pending > 0, emptyAt: emptyAt)
    forgetOldDeadlines()
    put(key, episode)
    note(key, episode)
    deadlines.insert(Deadline(time: emptyAt, begunOrder: point.cause.order, key: key))
    if !episode.isPending { tell(.opened, episode, cause: point.cause, time: point.time) }
  }

  private func open(_ key: EpisodeKey, _ episode: Episode, _ point: EventPoint) {
    episode.isPending = false
    episode.telling = teller.telling(point)
    episode.state.opened = point.time
    episode.state.opening = point.origin
    episode.state.severity = episode.telling.severity
    episode.state.eventCount = max(episode.state.eventCount, episode.telling.eventCount)
    episode.lastTold = point.time
    tell(.opened, episode, cause: point.cause, time: point.time)
  }

  // MARK: Time

  private func deadline(of episode: Episode) -> Int64 {
    guard let since = episode.falseSince else { return episode.emptyAt }
    return min(episode.emptyAt, EventClock.saturated(since, plus: plan.keepFiring))
  }

  /// Deadlines of episodes that closed before them are in the way only when their time comes; until then they must not
  /// outnumber the others by far.
  private func forgetOldDeadlines(always: Bool = false) {
    guard always || deadlines.count > 4 * episodes.count + 64 else { return }
    deadlines.removeAll()
    for (key, episode) in episodes {
      deadlines.insert(Deadline(time: episode.scheduled, begunOrder: episode.begun.order, key: key))
    }
  }

  /// Makes the heap anew for episodes that came from elsewhere.
  func scheduleAll() {
    for episode in episodes.values { episode.scheduled = deadline(of: episode) }
    forgetOldDeadlines(always: true)
  }

  /// Sees to it that the heap holds the episode no later than its deadline.
  private func schedule(_ key: EpisodeKey, _ episode: Episode) {
    let deadline = deadline(of: episode)
    guard deadline < episode.scheduled else { return }
    episode.scheduled = deadline
    deadlines.insert(Deadline(time: deadline, begunOrder: episode.begun.order, key: key))
  }

  /// Closes what the watermark has passed, but nothing that ends beyond the end of time. `cause` gives the record
  /// that moved it past a time.
  func advance(watermark: Int64, cause: (Int64) -> Cause) {
    while let due = deadlines.first, due.time <= watermark, due.time < .max {
      deadlines.removeFirst()
      guard let episode = episodes[due.key], episode.begun.order == due.begunOrder,
        episode.scheduled == due.time
      else { continue }
      let deadline = deadline(of: episode)
      if deadline > due.time {
        episode.scheduled = deadline
        deadlines.insert(Deadline(time: deadline, begunOrder: due.begunOrder, key: due.key))
      } else {
        close(due.key, episode, at: deadline, cause: cause(deadline))
      }
    }
  }

  private func close(_ key: EpisodeKey, _ episode: Episode, at time: Int64, cause: Cause) {
    remove(key, episode)
    if !episode.isPending { tell(.closed, episode, cause: cause, time: time) }
  }

  private func tell(_ transition: Finding.Transition, _ episode: Episode, cause: Cause, time: Int64) {
    if transition != .opened { episode.state.revision += 1 }
    let telling = episode.telling
    findings.append(
      Finding(
        rule: number, cause: cause.offset, order: cause.order, transition: transition, time: time,
        episode: episode.state,
        message: telling.message, observations: telling.observations, values: telling.values, window: telling.window,
        hits: telling.hits, evidence: telling.evidence))
    episode.state.heldBack = 0
  }
}
