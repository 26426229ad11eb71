internal import Events

/// Bytes to columns: what cannot be decoded, and what claims to come from the future, becomes a dead letter.
final class DecodeStage {
  private let decoder: EventDecoder
  private let future: Int64

  init(_ plan: PipelinePlan) {
    decoder = EventDecoder(schema: plan.schema, maximumRecordBytes: plan.limits.recordBytes)
    future = plan.limits.future
  }

  func run(_ batch: EventBatch) {
    decoder.decode(batch)
    refuseFuture(batch)
  }

  /// One event far ahead would move the watermark past all others and make them late.
  private func refuseFuture(_ batch: EventBatch) {
    let times = batch.times
    let rows = batch.decoded.rows
    var index = batch.decoded.count - 1
    while index >= 0 {
      let row = Int(rows[index])
      index -= 1
      let written = batch.records[row].timestamp
      guard written >= 0 else { continue }
      let (nanoseconds, isBeyond) = written.multipliedReportingOverflow(by: 1_000_000)
      let (latest, isOpen) = nanoseconds.addingReportingOverflow(future)
      guard !isBeyond, !isOpen, times[row] > latest else { continue }
      batch.fail(
        row: row, reason: .timeInFuture, field: batch.schema.timeField,
        detail: "the event's time is \(TimestampText.text(times[row])), but its record was written at "
          + "\(TimestampText.text(nanoseconds)); limits.future allows less")
    }
  }
}
