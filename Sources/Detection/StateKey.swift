internal import Events

/// What a rule's state is known by across restarts and changes of the pipeline.
struct RuleIdentity: Hashable {
  private var first: UInt64
  private var second: UInt64

  static let byteCount = 16

  /// Of a plan; one of another length than 16 bytes is digested.
  init(_ bytes: [UInt8]) {
    let bytes = bytes.count == Self.byteCount ? bytes : Array(SHA256.digest([bytes]).prefix(Self.byteCount))
    (first, second) = bytes.withUnsafeBytes {
      ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
  }

  init(_ reader: inout ByteReader) throws(DamagedBytes) {
    first = UInt64(littleEndian: try reader.fixed(as: UInt64.self))
    second = UInt64(littleEndian: try reader.fixed(as: UInt64.self))
  }

  var bytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
      write(to: UnsafeMutableRawBufferPointer(buffer))
      count = Self.byteCount
    }
  }

  func write(to buffer: UnsafeMutableRawBufferPointer) {
    buffer.storeBytes(of: first, as: UInt64.self)
    buffer.storeBytes(of: second, toByteOffset: 8, as: UInt64.self)
  }
}

/// The key of a record of state.
struct StateKey: Hashable {
  enum Kind: UInt8 {
    case piece = 0x77
    case evidence = 0x65
    case episode = 0x61
  }

  var rule: RuleIdentity
  var kind: Kind
  var hash: KeyHash
  /// Of the piece, or of the episode's window; 0 elsewhere.
  var number: Int64

  init(_ rule: RuleIdentity, _ kind: Kind, _ hash: KeyHash, _ number: Int64 = 0) {
    self.rule = rule
    self.kind = kind
    self.hash = hash
    self.number = number
  }

  init(_ bytes: UnsafeRawBufferPointer) throws(StateError) {
    do throws(DamagedBytes) {
      var reader = ByteReader(bytes)
      rule = try RuleIdentity(&reader)
      let tag = try reader.byte()
      guard let kind = Kind(rawValue: tag) else { throw DamagedBytes("there is no kind \(tag)") }
      self.kind = kind
      let low = try reader.fixed(as: UInt64.self)
      hash = KeyHash(low: low, high: try reader.fixed(as: UInt64.self))
      number = kind == .evidence ? 0 : try reader.fixed()
      try reader.end()
    } catch {
      throw StateError(error, in: "key")
    }
  }

  var bytes: [UInt8] {
    let size = kind == .evidence ? 33 : 41
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      rule.write(to: bytes)
      bytes[16] = kind.rawValue
      bytes.storeBytes(of: hash.low.littleEndian, toByteOffset: 17, as: UInt64.self)
      bytes.storeBytes(of: hash.high.littleEndian, toByteOffset: 25, as: UInt64.self)
      if kind != .evidence { bytes.storeBytes(of: number.littleEndian, toByteOffset: 33, as: Int64.self) }
      count = size
    }
  }
}

/// Collects the records of a cut, rule by rule.
struct StateCutter {
  private(set) var records: [StateRecord] = []
  private var writer = ByteWriter()
  var rule: RuleIdentity

  init(_ rule: RuleIdentity) { self.rule = rule }

  mutating func put(
    _ kind: StateKey.Kind, _ hash: KeyHash, _ number: Int64 = 0, _ write: (inout ByteWriter) -> Void
  ) {
    writer.removeAll()
    write(&writer)
    // A copy that is no larger than it must be.
    let value = writer.bytes.withUnsafeBytes { Array($0) }
    records.append(StateRecord(key: StateKey(rule, kind, hash, number).bytes, value: value))
  }

  mutating func remove(_ kind: StateKey.Kind, _ hash: KeyHash, _ number: Int64 = 0) {
    remove(StateKey(rule, kind, hash, number))
  }

  mutating func remove(_ key: StateKey) { records.append(StateRecord(key: key.bytes, value: nil)) }
}
