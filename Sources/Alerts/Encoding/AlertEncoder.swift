public import Events

/// An alert as a Kafka record.
public struct EncodedAlert: Sendable, Equatable {
  /// `ENTITY:VALUE` of the subject, so that alerts about one subject stay in order.
  public var key: [UInt8]
  /// The CloudEvents attributes.
  public var headers: [RecordBatch.Header]
  /// The OCSF Detection Finding, as JSON.
  public var body: [UInt8]
}

/// Writes alerts: CloudEvents 1.0 in Kafka binary mode around an OCSF 1.8.0 Detection Finding, as `docs/alerts.md` and
/// `docs/schema/alert-1.0.0.json` say. The same record gives the same bytes, on any machine and at any time.
public struct AlertEncoder: Sendable {
  /// Where the schema of the body stands; it names the schema's version.
  public static let dataSchema = "https://tocsin.dev/schema/alert/1.0.0.json"

  /// An encoder.
  public init() {}

  /// Key, headers and body of an alert, within `AlertBounds`.
  public func encode(_ record: AlertRecord) -> EncodedAlert {
    let episode = record.episodeID
    let id = AlertIdentity.record(episode: episode, revision: record.episode.revision)
    let key = BoundedText.attribute("\(record.subject.entity):\(record.subject.value)", limit: AlertBounds.key)
    let body = AlertBody(record, id: id.description, episode: episode.description)
    return EncodedAlert(
      key: Array(key.utf8), headers: Self.headers(record, id: id, episode: episode, subject: key),
      body: body.bytes())
  }

  private static func headers(
    _ record: AlertRecord, id: UUIDv5, episode: UUIDv5, subject: String
  ) -> [RecordBatch.Header] {
    var attributes = [
      ("content-type", "application/json"),
      ("ce_specversion", "1.0"),
      ("ce_id", id.description),
      ("ce_source", source(record.pipeline)),
      ("ce_type", "dev.tocsin.alert.\(record.episode.state.rawValue).v1"),
      ("ce_subject", subject),
      ("ce_time", TimestampText.text(record.eventTime)),
      ("ce_dataschema", dataSchema),
      ("ce_correlationid", episode.description),
      ("ce_partitionkey", subject),
      ("ce_severitynumber", String(record.severity.openTelemetryNumber)),
      ("ce_severitytext", record.severity.name.uppercased()),
    ]
    if let traceParent = record.traceParent, TraceParent.isValid(traceParent) {
      attributes.append(("ce_traceparent", traceParent))
    }
    return attributes.map { RecordBatch.Header(name: $0.0, value: Array($0.1.utf8)) }
  }

  /// The organisation's part, `/`, and the pipeline's name as a URI's path segment (RFC 3986).
  private static func source(_ pipeline: AlertRecord.Pipeline) -> String {
    var segment = ""
    for byte in pipeline.name.utf8 {
      if isUnreserved(byte) {
        segment.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        segment += "%" + SHA256.hexDigits([byte]).uppercased()
      }
    }
    return BoundedText.attribute("\(pipeline.alertSource)/\(segment)", limit: AlertBounds.key)
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: "-._~".utf8.contains(byte)
    }
  }
}
