internal import Events

/// Records that did not become events, and events that came too late: written on as they came, with why in the headers.
enum RejectedRecord {
  /// Bytes of the value that the substitute of one that is too large keeps.
  private static let excerptBytes = 16 << 10

  /// The dead letter for a record: its own bytes, key and headers, then `tocsin-reason`, `tocsin-field`, `tocsin-detail`,
  /// `tocsin-topic`, `tocsin-partition`, `tocsin-offset`.
  static func deadLetter(_ failure: DecodeFailure, _ batch: EventBatch) -> Output {
    var headers = [header("tocsin-reason", failure.reason.rawValue)]
    if let field = failure.field { headers.append(header("tocsin-field", batch.schema.fields[field].name)) }
    headers.append(header("tocsin-detail", failure.detail))
    return output(.deadLetter, failure.row, batch, headers)
  }

  /// The dead letter for an event that is too large to cross an exchange, as above, with `tocsin-exchange` beside its place.
  static func oversized(_ row: Int, _ batch: EventBatch, exchange: String, blockBytes: Int) -> Output {
    output(
      .deadLetter, row, batch,
      [
        header("tocsin-reason", oversizedReason),
        header("tocsin-detail", "its block takes \(blockBytes) bytes, more than can be written to \(exchange)"),
        header("tocsin-exchange", exchange),
      ])
  }

  private static let oversizedReason = "exchange_too_large"

  /// The late event's record, with `tocsin-event-time` beside its place.
  static func late(_ row: Int, _ batch: EventBatch) -> Output {
    let time = TimestampText.text(batch.times[row])
    return output(
      .late, row, batch, [header("tocsin-reason", "late"), header("tocsin-event-time", time)])
  }

  private static func output(
    _ destination: Output.Destination, _ row: Int, _ batch: EventBatch, _ reason: [RecordBatch.Header]
  ) -> Output {
    let records = batch.records
    let origin = records[row].origin
    let place = [
      header("tocsin-topic", records.originTopic), header("tocsin-partition", "\(origin.partition)"),
      header("tocsin-offset", "\(origin.offset)"),
    ]
    let value = records.value(row).map { Array($0.buffer) }
    let added = reason + place
    var substitute: Output.Substitute?
    if let value, value.count > excerptBytes {
      // Its source has the whole: the place above says where.
      substitute = Output.Substitute(
        value: Array(value.prefix(excerptBytes)), headers: added + [header("tocsin-truncated", "\(value.count)")])
    }
    return Output(
      destination, key: records.key(row).map { Array($0.buffer) }, value: value,
      headers: records.headers(row) + added, cause: records[row].offset, substitute: substitute)
  }

  private static func header(_ name: String, _ value: String) -> RecordBatch.Header {
    RecordBatch.Header(name: name, value: Array(value.utf8))
  }
}
