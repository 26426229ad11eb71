public import Events
internal import Expressions

/// Which events a rule concerns: those that pass its filters, are not excepted, and have a key.
///
/// A rule runs it where it runs; the source of an exchange runs it too, so that only events that a rule wants cross.
public final class RowFilter {
  private let plan: RulePlan
  private let filters: [ColumnEvaluator]
  private let exceptions: [ColumnEvaluator]
  private let scratch: Selection

  /// The filter of a rule, for batches of at most `capacity` rows.
  public init(_ plan: RulePlan, capacity: Int) {
    self.plan = plan
    filters = plan.filters.map { $0.evaluator(capacity: capacity) }
    exceptions = plan.exceptions.map { $0.condition.evaluator(capacity: capacity) }
    scratch = Selection(capacity: capacity)
  }

  /// Leaves in `selected` those of `rows` that the rule concerns.
  ///
  /// - Parameters:
  ///   - times: the events' times by row.
  ///   - counts: what was let go, and why, is added here; for a rule that was filtered before (`RulePlan.isPrefiltered`) it has
  ///     been counted there.
  public func select(
    _ rows: Selection, _ frame: Frame, times: UnsafeMutablePointer<Int64>, into selected: Selection,
    counts: inout RuleCounts
  ) {
    var noted = RuleCounts(exceptions: exceptions.count)
    copy(rows, to: selected)
    for filter in filters where selected.count > 0 {
      copy(selected, to: scratch)
      noted.errors += filter.filter(frame, rows: scratch, into: selected)
    }
    for place in exceptions.indices where selected.count > 0 { apply(place, frame, times, selected, &noted) }
    dropNullKeys(frame, selected, &noted)
    guard !plan.isPrefiltered else { return }
    counts.errors += noted.errors
    counts.nullKeys += noted.nullKeys
    for place in noted.excepted.indices { counts.excepted[place] += noted.excepted[place] }
  }

  private func copy(_ source: Selection, to target: Selection) {
    target.rows.update(from: source.rows, count: source.count)
    target.count = source.count
  }

  /// Takes out the rows that the exception covers, while it is in force.
  private func apply(
    _ place: Int, _ frame: Frame, _ times: UnsafeMutablePointer<Int64>, _ selected: Selection,
    _ counts: inout RuleCounts
  ) {
    let flags = exceptions[place].evaluate(frame, rows: selected)
    let until = plan.exceptions[place].until ?? .max
    let rows = selected.rows
    var kept = 0
    for index in 0..<selected.count {
      let row = Int(rows[index])
      let isExcepted = flags.states[row] == CellState.value.rawValue && flags.bools[row] && times[row] < until
      if isExcepted {
        counts.excepted[place] += 1
      } else {
        rows[kept] = rows[index]
        kept += 1
      }
    }
    selected.count = kept
  }

  private func dropNullKeys(_ frame: Frame, _ selected: Selection, _ counts: inout RuleCounts) {
    for slot in plan.keySlots {
      let states = frame.columns[slot].states
      let rows = selected.rows
      var kept = 0
      for index in 0..<selected.count where states[Int(rows[index])] == CellState.value.rawValue {
        rows[kept] = rows[index]
        kept += 1
      }
      counts.nullKeys += selected.count - kept
      selected.count = kept
    }
  }
}
