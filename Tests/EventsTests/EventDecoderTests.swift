import Events
import Testing

/// Fields of every type, so that one document can show each rule.
let sampleSchema = Schema(
  fields: [
    Field(name: "ts", type: .timestamp(.milliseconds), origin: .pointer(["ts"])),
    Field(name: "id", type: .string, origin: .pointer(["id"])),
    Field(name: "n", type: .int, origin: .pointer(["n"]), absence: .optional),
    Field(name: "x", type: .double, origin: .pointer(["x"]), absence: .optional),
    Field(name: "amount", type: .decimal(scale: 2), origin: .pointer(["pay", "amount"]), absence: .optional),
    Field(name: "ok", type: .bool, origin: .pointer(["ok"]), absence: .defaultValue(.bool(true))),
    Field(name: "to", type: .address, origin: .pointer(["to"]), absence: .optional),
    Field(name: "ip", type: .ip, origin: .pointer(["ip"]), absence: .optional),
    Field(name: "tags", type: .list(.string), origin: .pointer(["tags"]), absence: .optional),
    Field(name: "when", type: .timestamp(.rfc3339), origin: .pointer(["when"]), absence: .optional),
    Field(name: "slash", type: .int, origin: .pointer(["a/b", "~"]), absence: .optional),
  ], timeField: 0)

/// Decodes documents as one batch.
func decode(_ documents: [[UInt8]?], schema: Schema = sampleSchema, maximum: Int = 1 << 20) -> (
  EventBatch, EventDecoder
) {
  let records = RecordBatch(topic: "t", partition: 3, capacity: max(documents.count, 1))
  for (index, document) in documents.enumerated() {
    if let document {
      document.withUnsafeBytes { records.append(offset: Int64(index), timestamp: 5, key: nil, value: $0) }
    } else {
      records.append(offset: Int64(index), timestamp: 5, key: nil, value: nil)
    }
  }
  let batch = EventBatch(schema: schema, records: records)
  let decoder = EventDecoder(schema: schema, maximumRecordBytes: maximum)
  decoder.decode(batch)
  return (batch, decoder)
}

/// The values of one document by field, or its failure.
func decodeOne(_ text: String) -> Result<[String: Scalar], DecodeProblem> {
  let (batch, decoder) = decode([Array(text.utf8)])
  return withExtendedLifetime(decoder) {
    if let failure = batch.failures.first {
      return .failure(DecodeProblem(reason: failure.reason, field: failure.field, detail: failure.detail))
    }
    var values: [String: Scalar] = [:]
    for (slot, field) in batch.schema.fields.enumerated() {
      values[field.name] = batch.columns[slot].scalar(0)
    }
    return .success(values)
  }
}

struct DecodeProblem: Error, Equatable {
  var reason: DecodeFailure.Reason
  var field: Int?
  var detail: String
}

@Suite struct EventDecoderTests {
  @Test func everyTypeIsRead() throws {
    let values = try decodeOne(
      #"""
      {"ts": 1700000000123, "id": "a\u00e9\n", "n": -9223372036854775808, "x": 0.1, "pay": {"amount": "12.50", "z": [1]},
       "ok": false, "to": "0x098B716B8Aaf21512996dC57EB0615e2383E2f96", "ip": "2001:DB8::0:1", "tags": ["a", "b"],
       "when": "2026-11-24T10:15:30.5+01:00", "a/b": {"~": 7}}
      """#
    ).get()
    #expect(values["ts"] == .timestamp(1_700_000_000_123_000_000))
    #expect(values["id"] == .string("aé\n"))
    #expect(values["n"] == .int(.min))
    #expect(values["x"] == .double(0.1))
    #expect(values["amount"] == .decimal(1_250, scale: 2))
    #expect(values["ok"] == .bool(false))
    #expect(values["to"] == .string("0x098b716b8aaf21512996dc57eb0615e2383e2f96"))
    #expect(values["ip"] == .string("2001:db8::1"))
    #expect(values["tags"] == .list([.string("a"), .string("b")]))
    #expect(values["when"]?.text == "2026-11-24T09:15:30.500Z")
    #expect(values["slash"] == .int(7))
  }

  @Test func missingNullAndWrongTypeAreToldApart() throws {
    let optional = try decodeOne(#"{"ts":1,"id":"a","n":null}"#).get()
    #expect(optional["n"] == nil && optional["x"] == nil && optional["ok"] == .bool(true))
    #expect(
      failure(#"{"ts":1}"#) == DecodeProblem(reason: .missing, field: 1, detail: "the record does not have the field"))
    #expect(failure(#"{"ts":1,"id":null}"#)?.reason == .null)
    #expect(failure(#"{"ts":1,"id":5}"#)?.reason == .wrongType)
    #expect(failure(#"{"ts":1,"id":"a","ok":"yes"}"#)?.reason == .wrongType)
    // Two things are wrong: the first in the schema's order is told.
    #expect(failure(#"{"id":5}"#)?.field == 0)
  }

  @Test(arguments: [
    (#"{"ts":1,"id":"a","n":9223372036854775808}"#, DecodeFailure.Reason.outOfRange),
    (#"{"ts":1,"id":"a","n":1.5}"#, .wrongType), (#"{"ts":1,"id":"a","n":"1"}"#, .wrongType),
    (#"{"ts":1,"id":"a","x":1e400}"#, .outOfRange), (#"{"ts":1,"id":"a","pay":{"amount":"12.505"}}"#, .outOfRange),
    (#"{"ts":1,"id":"a","pay":{"amount":1e40}}"#, .outOfRange),
    (#"{"ts":1,"id":"a","pay":{"amount":"12,50"}}"#, .wrongType),
    (#"{"ts":99999999999999999,"id":"a"}"#, .outOfRange), (#"{"ts":"1","id":"a"}"#, .wrongType),
    (#"{"ts":1,"id":"a","when":"9999-01-01T00:00:00Z"}"#, .outOfRange),
    (#"{"ts":1,"id":"a","when":"2026-02-30T00:00:00Z"}"#, .wrongType),
    (#"{"ts":1,"id":"a","ip":"10.0.0.256"}"#, .wrongType), (#"{"ts":1,"id":"a","tags":["a",null]}"#, .wrongType),
    (#"{"ts":1,"id":"a","tags":"a"}"#, .wrongType), (#"{"ts":1,"ts":2,"id":"a"}"#, .duplicateKey),
    (#"{"ts":1,"id":"a""#, .notJSON), (#"[1]"#, .notAnObject), ("", .emptyValue), (#"{"ts":1,"id":"a"} x"#, .notJSON),
  ])
  func whatIsWrongSaysWhy(_ text: String, _ reason: DecodeFailure.Reason) {
    #expect(failure(text)?.reason == reason, "\(text)")
  }

  @Test func integralNumbersInAnyNotationAreInts() throws {
    for (text, value) in [("1.0", 1), ("1e3", 1_000), ("-0", 0), ("120e-1", 12), ("9223372036854775807", Int64.max)] {
      #expect(try decodeOne(#"{"ts":1,"id":"a","n":\#(text)}"#).get()["n"] == .int(Int64(value)))
    }
  }

  @Test func whatIsNoObjectAtAll() {
    let (batch, _) = decode(
      [nil, [0xFF, 0xFE], Array("{\"ts\":1,\"id\":\"\u{7f}\"}".utf8), Array("{}".utf8)], maximum: 30)
    #expect(
      batch.failures.map(\.reason) == [.nullValue, .notJSON, .missing] || batch.failures[1].reason == .invalidUTF8)
    #expect(batch.decoded.indices == [2])
    let (large, _) = decode([Array(repeating: 0x20, count: 31)], maximum: 30)
    #expect(large.failures.first?.reason == .tooLarge)
  }

  @Test func keyHeadersAndTheRecordsPlaceAreFields() {
    let schema = Schema(
      fields: [
        Field(name: "ts", type: .timestamp(.milliseconds), origin: .timestamp),
        Field(name: "k", type: .address, origin: .key),
        Field(name: "h", type: .int, origin: .header("retries"), absence: .optional),
        Field(name: "topic", type: .string, origin: .topic),
        Field(name: "partition", type: .int, origin: .partition),
        Field(name: "offset", type: .int, origin: .offset),
      ], timeField: 0)
    let records = RecordBatch(topic: "input", partition: 7, capacity: 2)
    let headers = RecordBatch.encode(headers: [
      .init(name: "retries", value: Array("3".utf8)), .init(name: "other", value: nil),
      .init(name: "retries", value: Array("4".utf8)),
    ])
    let key = Array("0xABCDEFabcdefABCDEFabcdefABCDEFabcdefABCD".utf8)
    key.withUnsafeBytes { key in
      Array("{}".utf8).withUnsafeBytes { value in
        headers.withUnsafeBytes { records.append(offset: 42, timestamp: 9, key: key, value: value, headers: $0) }
        records.append(offset: 43, timestamp: -1, key: key, value: value)
      }
    }
    let batch = EventBatch(schema: schema, records: records)
    let decoder = EventDecoder(schema: schema, maximumRecordBytes: 100)
    decoder.decode(batch)
    withExtendedLifetime(decoder) {
      let row = batch.columns.map { $0.scalar(0) }
      #expect(
        row == [
          .timestamp(9_000_000), .string("0xabcdefabcdefabcdefabcdefabcdefabcdefabcd"), .int(4), .string("input"),
          .int(7), .int(42),
        ])
      #expect(
        batch.failures == [
          DecodeFailure(row: 1, reason: .missing, field: 0, detail: "the record does not have the field")
        ])
    }
  }

  private func failure(_ text: String) -> DecodeProblem? {
    if case .failure(let problem) = decodeOne(text) { return problem }
    return nil
  }
}
