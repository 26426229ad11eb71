import Detection
import Events
import TestSupport
import Testing

@testable import Pipeline

/// Blocks: what goes in comes out, and no bytes make the reader trap.
@Suite struct BlockCodecTests {
  static let schema = Schema(
    fields: [
      field("ts", .timestamp(.milliseconds), required: true), field("s", .string), field("i", .int),
      field("d", .double), field("b", .bool), field("m", .decimal(scale: 2)), field("l", .list(.string)),
      field("n", .list(.int)), field("t", .timestamp(.nanoseconds)),
    ], timeField: 0)

  private static func field(_ name: String, _ type: FieldType, required: Bool = false) -> Field {
    Field(name: name, type: type, origin: .pointer([name]), absence: required ? .required : .optional)
  }

  private static func value(_ random: inout SeededRandom) -> String {
    func maybe(_ name: String, _ text: String) -> String? { Bool.random(using: &random) ? "\"\(name)\":\(text)" : nil }
    let numbers = [0, 1, -1, Int64.max, Int64.min, Int64.random(in: .min ... .max, using: &random)]
    let number = numbers.randomElement(using: &random) ?? 0
    let doubles = ["0", "-0.0", "1.5e300", "-3.25"]
    let parts = [
      "\"ts\":\(Int64.random(in: -9_000_000_000_000...9_000_000_000_000, using: &random))",
      maybe("s", "\"\(String(repeating: "é", count: Int.random(in: 0...40, using: &random)))x\""),
      maybe("i", "\(number)"), maybe("d", doubles.randomElement(using: &random) ?? "0"),
      maybe("b", Bool.random(using: &random) ? "true" : "false"),
      maybe("m", "\"\(Int64.random(in: -99_999_999...99_999_999, using: &random)).07\""),
      maybe("l", ["[]", "[\"\"]", "[\"a\",\"é\"]"].randomElement(using: &random) ?? "[]"),
      maybe("n", ["[]", "[-5]", "[1,2,3]"].randomElement(using: &random) ?? "[]"), maybe("t", "\(number)"),
    ]
    return "{\(parts.compactMap { $0 }.joined(separator: ","))}"
  }

  /// A source's batch of random events.
  static func batch(_ count: Int, _ random: inout SeededRandom) -> (EventBatch, EventDecoder) {
    let records = RecordBatch(topic: "in", partition: 2, capacity: 600)
    let batch = EventBatch(schema: schema, records: records)
    var offset: Int64 = 5
    for _ in 0..<count {
      offset += Int64.random(in: 1...4, using: &random)
      let headers = Bool.random(using: &random) ? [RecordBatch.Header(name: "traceparent", value: [1, 2, 3])] : []
      records.append(offset: offset, key: nil, value: Array(value(&random).utf8), headers: headers)
    }
    let decoder = EventDecoder(schema: schema, maximumRecordBytes: 1 << 20)
    decoder.decode(batch)
    return (batch, decoder)
  }

  static let slots = Dictionary(
    schema.fields.enumerated().map { (Array($0.element.name.utf8), $0.offset) }, uniquingKeysWith: { first, _ in first }
  )

  private struct Read {
    var header: ExchangeBlock.Header
    var rows: [[Scalar?]]
    var origins: [EventOrigin]
    var digests: [[UInt8]]
    var traces: [[RecordBatch.Header]]
    var watermarks: [Int64]
  }

  private static func read(_ block: [UInt8]) throws(ExchangeBlock.Damage) -> Read {
    let target = EventBatch(
      schema: schema, records: RecordBatch(topic: "x", partition: 0, originTopic: "in", capacity: 2_000))
    let given = GivenTime(capacity: 2_000)
    let arena = CellArena()
    // The block must stand while the batch is looked at.
    let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(block.count, 1))
    _ = memory.initialize(from: block)
    defer { memory.deallocate() }
    var reader = try BlockReader(UnsafeBufferPointer(rebasing: memory[..<block.count]))
    try reader.fill(target, offset: 77, slots: slots, given: given, arena: arena)
    let rows = target.decoded.indices
    return Read(
      header: reader.header, rows: rows.map { row in target.columns.map { $0.scalar(row) } },
      origins: rows.map { target.records[$0].origin }, digests: rows.map { target.records.digest($0) },
      traces: rows.map { target.records.headers($0) }, watermarks: rows.map { given.sourceWatermarks[$0] })
  }

  private static func header(_ random: inout SeededRandom) -> ExchangeBlock.Header {
    ExchangeBlock.Header(
      source: Int32.random(in: 0..<9, using: &random), sourceCount: 9,
      watermark: Int64.random(in: .min ... .max, using: &random), isIdle: Bool.random(using: &random),
      version: "sha256:12")
  }

  @Test(arguments: 0..<40) func whatGoesInComesOut(seed: Int) throws {
    var random = SeededRandom(UInt64(seed))
    let (batch, decoder) = Self.batch([0, 1, 5, 300].randomElement(using: &random) ?? 1, &random)
    let outOfOrder: Int64 = [0, 5_000_000_000, Int64.max].randomElement(using: &random) ?? 0
    var builder = BlockBuilder(schema: Self.schema, slots: Array(1..<9), outOfOrder: outOfOrder)
    for round in 0..<2 {
      var watermarks: [Int64] = []
      var watermark = Int64.min
      for row in batch.decoded.indices {
        let own = batch.times[row].subtractingReportingOverflow(outOfOrder)
        if !own.overflow { watermark = max(watermark, own.partialValue) }
        if Bool.random(using: &random) { watermark += 17 }
        watermarks.append(watermark)
        builder.append(batch, row: row, watermark: watermark)
      }
      let header = Self.header(&random)
      let read = try Self.read(builder.take(header))
      #expect(read.header == header && read.watermarks == watermarks, "round \(round)")
      let rows = batch.decoded.indices
      #expect(read.rows == rows.map { row in batch.columns.map { $0.scalar(row) } })
      #expect(read.origins == rows.map { EventOrigin(partition: header.source, offset: batch.records[$0].offset) })
      #expect(read.digests == rows.map { batch.records.digest($0) })
      #expect(read.traces == rows.map { batch.records.headers($0) })
    }
    withExtendedLifetime(decoder) {}
  }

  /// A byte that changed on the way is found; and where the checksum is made to match, the rest is an error or a block, never
  /// a trap.
  @Test(arguments: 0..<60) func damageIsAnError(seed: Int) throws {
    var random = SeededRandom(UInt64(seed) + 1_000)
    let (batch, decoder) = Self.batch(20, &random)
    var builder = BlockBuilder(schema: Self.schema, slots: Array(1..<9), outOfOrder: 1_000)
    for row in batch.decoded.indices { builder.append(batch, row: row, watermark: batch.times[row] - 1_000) }
    let block = builder.take(Self.header(&random))
    for _ in 0..<60 {
      var damaged = block
      switch Int.random(in: 0..<4, using: &random) {
      case 0: damaged.removeLast(Int.random(in: 1...damaged.count, using: &random))
      case 1:
        damaged.insert(.random(in: 0...255, using: &random), at: Int.random(in: 0...damaged.count, using: &random))
      default:
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let place = Int.random(in: damaged.indices, using: &random)
          damaged[place] ^= UInt8.random(in: 1...255, using: &random)
        }
      }
      if damaged != block { #expect(throws: ExchangeBlock.Damage.self) { _ = try Self.read(damaged) } }
      guard damaged.count > ExchangeBlock.bodyStart else { continue }
      let checksum = damaged.withUnsafeBufferPointer {
        ExchangeBlock.checksum(UnsafeBufferPointer(rebasing: $0[ExchangeBlock.bodyStart...]))
      }
      damaged.replaceSubrange(0..<4, with: ExchangeBlock.magic)
      withUnsafeBytes(of: checksum.littleEndian) { damaged.replaceSubrange(4..<12, with: $0) }
      _ = try? Self.read(damaged)
    }
    withExtendedLifetime(decoder) {}
  }

  @Test func whatIsWrongIsNamed() {
    var block = BlockBuilder.empty(ExchangeBlock.Header(source: 0, sourceCount: 1, watermark: 3, version: "v"))
    func damage(_ bytes: [UInt8]) -> ExchangeBlock.Damage? {
      do throws(ExchangeBlock.Damage) {
        _ = try Self.read(bytes)
        return nil
      } catch {
        return error
      }
    }
    #expect(damage(block) == nil)
    #expect(damage([]) == .notABlock && damage(Array("hello, world".utf8)) == .notABlock)
    block[3] = 9
    #expect(damage(block) == .unknownVersion(9))
    block[3] = 1
    block[block.count - 1] ^= 1
    #expect(damage(block) == .checksum)
  }
}
