internal import Events
internal import Expressions

/// Runs a rule about single events. It sees late events too: a sanctioned address is one however late it comes.
final class EventRuleRunner: RuleRunner {
  init(_ plan: RulePlan, number: Int, schema: Schema, capacity: Int, seed: HashSeed, episodeLimit: Int) {
    super.init(
      plan, number: number, schema: schema, capacity: capacity, seed: seed, explained: plan.filters,
      episodeLimit: episodeLimit)
  }

  override func run(_ context: BatchContext) {
    let batch = context.batch
    frame = Frame(count: batch.count, columns: batch.columns, tables: context.tables)
    self.batch = batch
    let before = episodes.findings.count
    select(batch.decoded, batch)
    for index in 0..<selected.count {
      let row = Int(selected.rows[index])
      let watermark = context.watermarks[row]
      let point = context.point(row)
      if plan.keySlots.isEmpty {
        episodes.findings.append(single(point))
        continue
      }
      if episodes.nextDeadline <= watermark { episodes.advance(watermark: watermark, cause: context.cause) }
      episodes.holds(
        EpisodeKey(hash: hashes[row], window: 0), point,
        emptyAt: EventClock.saturated(point.time, plus: plan.keepFiring))
      // An episode whose time was over before it began, because its event came late, ends with that event: the record
      // that moved the watermark so far lies behind.
      if episodes.nextDeadline <= watermark { episodes.advance(watermark: watermark) { _ in point.cause } }
    }
    if episodes.nextDeadline <= context.watermark, batch.count > 0 {
      episodes.advance(watermark: context.watermark, cause: context.cause)
    }
    noteFindings(episodes.findings[before...])
  }

  private var batch: EventBatch?

  /// An alert of its own for an event: it opens, and there is nothing to wait for.
  private func single(_ point: EventPoint) -> Finding {
    let telling = telling(point)
    let state = EpisodeState(
      opened: point.time, opening: point.origin, revision: 0, key: [], severity: telling.severity, eventCount: 1,
      firstSeen: point.time, lastSeen: point.time, heldBack: 0)
    return Finding(
      rule: number, cause: point.cause.offset, order: point.cause.order, transition: .opened, time: point.time,
      episode: state,
      message: telling.message, observations: telling.observations, values: [], window: nil, hits: telling.hits,
      evidence: telling.evidence)
  }

  override func telling(_ point: EventPoint) -> Telling {
    Telling(
      key: key(point), severity: severity(point), message: plan.message.render(frame, row: point.row),
      observations: observations(point), values: [], window: nil, hits: hits(point),
      evidence: batch.map { [Evidence($0, row: point.row, slots: causeSlots)] } ?? [], eventCount: 1,
      firstSeen: point.time)
  }

  override func replayNeed(watermark: Int64) -> ReplayNeed {
    // Its state is its episodes, which the events since their opening make again.
    episodes.oldest.map { ReplayNeed(offset: $0.offset, time: .max) } ?? .nothing
  }
}
