internal import Events

/// Event time behind an exchange: the smallest watermark of all partitions of the source that are expected to be heard of,
/// less those that were declared idle. It is a function of the blocks in the exchange's log, and never moves back.
public struct ExchangeClock: Sendable, Hashable {
  /// How one partition of the source stands.
  struct Source: Sendable, Hashable {
    /// In nanoseconds since 1970; `Int64.min`: not heard of, or without an event.
    var watermark = Int64.min
    var isIdle = false
    /// The offset of the last event that came; -1: none has.
    var lastOffset: Int64 = -1
  }

  /// Most partitions of a source.
  static let sourceLimit = 1 << 20

  /// By partition of the source.
  private(set) var sources: [Source] = []
  /// In nanoseconds since 1970; `Int64.min` until every partition was heard of or declared idle.
  public private(set) var watermark = Int64.min

  /// A clock that has heard of nobody.
  public init() {}

  /// Says how many partitions the source has; a number once said does not go down.
  mutating func expect(_ count: Int) {
    while sources.count < min(count, Self.sourceLimit) { sources.append(Source()) }
  }

  /// The smallest watermark of all partitions but this one that are not idle; `Int64.max` where there is none.
  func others(than source: Int) -> Int64 {
    var smallest = Int64.max
    for (number, other) in sources.enumerated() where number != source && !other.isIdle {
      smallest = min(smallest, other.watermark)
    }
    return smallest
  }

  /// The offset of the last event of a partition of the source; -1: none has come.
  func lastOffset(of source: Int) -> Int64 { sources[source].lastOffset }

  mutating func note(_ offset: Int64, of source: Int) {
    sources[source].lastOffset = max(sources[source].lastOffset, offset)
  }

  /// A block of this partition begins: whatever was said of it before, it holds the others back again.
  mutating func wake(_ source: Int) { sources[source].isIdle = false }

  /// A block has ended.
  ///
  /// - Returns: the watermark after it.
  mutating func end(of source: Int, watermark: Int64, isIdle: Bool) -> Int64 {
    sources[source].watermark = max(sources[source].watermark, watermark)
    sources[source].isIdle = isIdle
    advance(to: smallest)
    return self.watermark
  }

  mutating func advance(to watermark: Int64) { self.watermark = max(self.watermark, watermark) }

  /// The smallest watermark of those that are not idle; where all are, the source has come as far as the furthest of them.
  private var smallest: Int64 {
    let active = sources.lazy.filter { !$0.isIdle }.map(\.watermark)
    return active.min() ?? sources.map(\.watermark).max() ?? .min
  }
}

extension ExchangeClock {
  private static let format: UInt8 = 1

  /// Why bytes are no clock.
  public struct DamagedState: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    public var description: String { "the saved event time of an exchange can't be read" }
  }

  /// The clock as bytes, for a snapshot: a format version, the watermark, and each partition of the source.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.byte(Self.format)
    writer.fixed(watermark)
    writer.list(sources) { writer, source in
      writer.flag(source.isIdle)
      writer.fixed(source.watermark)
      writer.signed(source.lastOffset)
    }
    return writer.bytes
  }

  /// The clock that was saved; `used` is how many of the bytes it takes.
  public init(_ bytes: [UInt8], used: inout Int) throws(DamagedState) {
    self.init()
    let result = bytes.withUnsafeBytes { buffer -> Result<(ExchangeClock, Int), DamagedState> in
      var reader = ByteReader(buffer)
      do throws(DamagedBytes) {
        return .success((try Self.read(&reader), reader.position))
      } catch {
        return .failure(DamagedState())
      }
    }
    (self, used) = try result.get()
  }

  private static func read(_ reader: inout ByteReader) throws(DamagedBytes) -> ExchangeClock {
    var clock = ExchangeClock()
    guard try reader.byte() == format else { throw DamagedBytes("it is of another format") }
    clock.watermark = try reader.fixed()
    for _ in 0..<(try reader.count(upTo: min(sourceLimit, reader.remaining))) {
      let isIdle = try reader.byte() != 0
      let watermark = try reader.fixed()
      clock.sources.append(Source(watermark: watermark, isIdle: isIdle, lastOffset: try reader.signed()))
    }
    return clock
  }
}
