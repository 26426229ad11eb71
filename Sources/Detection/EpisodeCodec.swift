internal import Events
internal import Expressions

/// A table's entry that an alert names, by what stays the same when the table's version changes.
struct NamedHit: Hashable {
  var table: String
  var field: String?
  var key: String
}

/// Writes and reads episodes. Fields and tables go by name, because their places may change from one pipeline to the next.
struct EpisodeCodec {
  let fields: [String]
  private let slots: [String: Int]

  init(_ schema: Schema) {
    fields = schema.fields.map(\.name)
    slots = Dictionary(schema.fields.enumerated().map { ($1.name, $0) }) { first, _ in first }
  }

  func slot(of name: String) -> Int? { slots[name] }

  // MARK: Writing

  func write(_ episode: Episode, hits: [NamedHit], to writer: inout ByteWriter) {
    writer.flag(episode.isPending)
    writer.fixed(episode.began)
    writer.fixed(episode.begun.offset)
    writer.fixed(episode.begun.order)
    for time in [episode.begunWatermark, episode.emptyAt, episode.lastTold] { writer.fixed(time) }
    writer.optional(episode.falseSince) { $0.fixed($1) }
    let state = episode.state
    writer.fixed(state.opened)
    writer.origin(state.opening)
    writer.count(state.revision)
    writer.list(state.key) { $0.scalar($1) }
    writer.byte(UInt8(state.severity.rawValue))
    writer.count(state.eventCount)
    writer.fixed(state.firstSeen)
    writer.fixed(state.lastSeen)
    writer.count(state.heldBack)
    write(episode.telling, hits, to: &writer)
  }

  private func write(_ telling: Telling, _ hits: [NamedHit], to writer: inout ByteWriter) {
    writer.byte(UInt8(telling.severity.rawValue))
    writer.text(telling.message)
    writer.list(telling.observations) { writer, observation in
      writer.text(observation.text)
      writer.optional(observation.metric) { $0.text($1) }
      writer.optional(observation.observed) { $0.scalar($1) }
      writer.optional(observation.operator) { $0.text($1) }
      writer.optional(observation.threshold) { $0.scalar($1) }
      writer.optional(observation.of) { $0.text($1) }
    }
    writer.list(telling.values) { writer, value in
      writer.text(value.name)
      writer.optional(value.value) { $0.scalar($1) }
    }
    writer.optional(telling.window) { writer, window in
      writer.fixed(window.start)
      writer.fixed(window.end)
    }
    writer.list(hits) { writer, hit in
      writer.text(hit.table)
      writer.optional(hit.field) { $0.text($1) }
      writer.text(hit.key)
    }
    writer.list(telling.evidence) { writer, evidence in
      writer.origin(evidence.origin)
      writer.fixed(evidence.time)
      writer.run(evidence.digest)
      writer.list(evidence.fields) { writer, field in
        writer.text(fields[field.slot])
        writer.scalar(field.value)
      }
    }
    writer.count(telling.eventCount)
    writer.fixed(telling.firstSeen)
  }

  // MARK: Reading

  func read(_ reader: inout ByteReader) throws(DamagedBytes) -> Episode {
    let isPending = try reader.flag()
    let began = try reader.fixed()
    let begun = Cause(offset: try reader.fixed(), order: try reader.fixed())
    let begunWatermark = try reader.fixed()
    let emptyAt = try reader.fixed()
    let lastTold = try reader.fixed()
    let falseSince = try reader.optional { reader throws(DamagedBytes) in try reader.fixed() }
    let state = try readState(&reader)
    var hits: [NamedHit] = []
    let telling = try readTelling(&reader, key: state.key, &hits)
    try reader.end()
    let episode = Episode(
      state, telling, began: began, begun: begun, watermark: begunWatermark, isPending: isPending, emptyAt: emptyAt)
    episode.falseSince = falseSince
    episode.lastTold = lastTold
    episode.unresolved = hits
    return episode
  }

  private func readState(_ reader: inout ByteReader) throws(DamagedBytes) -> EpisodeState {
    EpisodeState(
      opened: try reader.fixed(), opening: try reader.origin(), revision: try reader.count(),
      key: try reader.list { reader throws(DamagedBytes) in try reader.scalar() }, severity: try reader.severity(),
      eventCount: Int64(try reader.count()), firstSeen: try reader.fixed(), lastSeen: try reader.fixed(),
      heldBack: Int64(try reader.count()))
  }

  private func readTelling(
    _ reader: inout ByteReader, key: [Scalar], _ hits: inout [NamedHit]
  ) throws(DamagedBytes) -> Telling {
    var telling = Telling(
      key: key, severity: try reader.severity(), message: try reader.text(), observations: [], values: [], window: nil,
      hits: [], evidence: [], eventCount: 0, firstSeen: 0)
    telling.observations = try reader.list { reader throws(DamagedBytes) in
      Observation(
        text: try reader.text(), metric: try reader.optionalText(), observed: try reader.optionalScalar(),
        operator: try reader.optionalText(), threshold: try reader.optionalScalar(), of: try reader.optionalText())
    }
    telling.values = try reader.list { reader throws(DamagedBytes) in
      Finding.NamedValue(name: try reader.text(), value: try reader.optionalScalar())
    }
    telling.window = try reader.optional { reader throws(DamagedBytes) in
      Finding.TimeRange(start: try reader.fixed(), end: try reader.fixed())
    }
    hits = try reader.list { reader throws(DamagedBytes) in
      NamedHit(table: try reader.text(), field: try reader.optionalText(), key: try reader.text())
    }
    telling.evidence = try reader.list { reader throws(DamagedBytes) in try readEvidence(&reader) }
    telling.eventCount = Int64(try reader.count())
    telling.firstSeen = try reader.fixed()
    return telling
  }

  private func readEvidence(_ reader: inout ByteReader) throws(DamagedBytes) -> Evidence {
    let origin = try reader.origin()
    let time = try reader.fixed()
    let digest = Array(try reader.run())
    guard digest.isEmpty || digest.count == SHA256.count else {
      throw DamagedBytes("a digest has \(digest.count) bytes")
    }
    let fields: [Evidence.FieldValue?] = try reader.list { reader throws(DamagedBytes) in
      let name = try reader.text()
      let value = try reader.scalar()
      // A field that the pipeline no longer has is left out.
      return slots[name].map { Evidence.FieldValue(slot: $0, value: value) }
    }
    return Evidence(origin: origin, time: time, digest: digest, fields: fields.compactMap { $0 })
  }
}

extension ByteWriter {
  mutating func origin(_ origin: EventOrigin) {
    signed(origin.partition)
    fixed(origin.offset)
  }

  mutating func scalar(_ value: Scalar) {
    switch value {
    case .null: byte(0)
    case .string(let text):
      byte(1)
      self.text(text)
    case .int(let number):
      byte(2)
      fixed(number)
    case .uint(let number):
      byte(3)
      fixed(number)
    case .double(let number):
      byte(4)
      fixed(number.bitPattern)
    case .bool(let flag): byte(flag ? 6 : 5)
    case .decimal(let number, let scale):
      byte(7)
      byte(UInt8(clamping: scale))
      signed(number)
    case .timestamp(let time):
      byte(8)
      fixed(time)
    case .duration(let time):
      byte(9)
      fixed(time)
    case .list(let values):
      byte(10)
      list(values) { $0.scalar($1) }
    }
  }
}

extension ByteReader {
  /// Lists in lists in lists: deeper than any type of a field.
  private static let depthMax = 8
  /// Digits after the point, at most.
  private static let scaleMax: UInt8 = 38

  mutating func scalar(depth: Int = 0) throws(DamagedBytes) -> Scalar {
    switch try byte() {
    case 0: return .null
    case 1: return .string(try text())
    case 2: return .int(try fixed())
    case 3: return .uint(try fixed(as: UInt64.self))
    case 4: return .double(Double(bitPattern: try fixed(as: UInt64.self)))
    case 5: return .bool(false)
    case 6: return .bool(true)
    case 7:
      let scale = try byte()
      guard scale <= Self.scaleMax else { throw DamagedBytes("a decimal has \(scale) digits after the point") }
      return .decimal(try signed(as: Int128.self), scale: Int(scale))
    case 8: return .timestamp(try fixed())
    case 9: return .duration(try fixed())
    case 10:
      guard depth < Self.depthMax else { throw DamagedBytes("lists are nested too deep") }
      return .list(try list { reader throws(DamagedBytes) in try reader.scalar(depth: depth + 1) })
    case let tag: throw DamagedBytes("there is no type \(tag)")
    }
  }

  mutating func origin() throws(DamagedBytes) -> EventOrigin {
    guard let partition = Int32(exactly: try signed()) else { throw DamagedBytes("a partition's number is too large") }
    return EventOrigin(partition: partition, offset: try fixed())
  }

  mutating func optionalText() throws(DamagedBytes) -> String? {
    try optional { reader throws(DamagedBytes) in try reader.text() }
  }

  mutating func optionalScalar() throws(DamagedBytes) -> Scalar? {
    try optional { reader throws(DamagedBytes) in try reader.scalar() }
  }

  mutating func severity() throws(DamagedBytes) -> Severity {
    let value = try byte()
    guard let severity = Severity(rawValue: Int(value)) else { throw DamagedBytes("there is no severity \(value)") }
    return severity
  }
}
