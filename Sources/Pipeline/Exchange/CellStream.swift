internal import Events

/// The cells of one column as bytes: written row by row at the source, read row by row behind the exchange. Integers go as
/// differences from the one before.
struct CellStream {
  let type: ColumnType
  private var cells = ByteWriter()
  private(set) var states: [UInt8] = []
  private(set) var hasGaps = false
  private var last: Int64 = 0

  init(_ type: ColumnType) { self.type = type }

  var bytes: [UInt8] { cells.bytes }
  var byteCount: Int { cells.bytes.count + states.count }

  mutating func removeAll() {
    cells.removeAll()
    states.removeAll(keepingCapacity: true)
    hasGaps = false
    last = 0
  }

  mutating func append(_ column: Column, row: Int) {
    let state = column.states[row]
    states.append(state)
    guard state == CellState.value.rawValue else {
      hasGaps = true
      return
    }
    switch type {
    case .int, .timestamp, .duration:
      let value = column.ints[row]
      cells.signed(value &- last)
      last = value
    case .string, .bytes:
      cells.run(column.views[row].buffer)
    default: Self.append(type, UnsafeRawPointer(column.cells) + row * type.stride, to: &cells)
    }
  }

  private static func append(_ type: ColumnType, _ cell: UnsafeRawPointer, to cells: inout ByteWriter) {
    switch type {
    case .int, .timestamp, .duration: cells.signed(cell.load(as: Int64.self))
    case .uint: cells.number(cell.load(as: UInt64.self))
    case .double: cells.fixed(cell.load(as: Double.self).bitPattern)
    case .bool: cells.flag(cell.load(as: Bool.self))
    case .decimal: cells.signed(cell.load(as: Int128.self))
    case .string, .bytes: cells.run(cell.load(as: BytesView.self).buffer)
    case .list(let element):
      let list = cell.load(as: ListView.self)
      cells.count(list.count)
      guard let start = list.start else { return }
      for place in 0..<list.count { append(element, start + place * element.stride, to: &cells) }
    }
  }
}

/// Reads the cells of one column from a block, into a column or past it.
struct CellReading {
  let type: ColumnType
  /// Memory for the elements of lists, which stands until the batch is done.
  let arena: CellArena
  private var last: Int64 = 0

  init(_ type: ColumnType, _ arena: CellArena) {
    self.type = type
    self.arena = arena
  }

  /// Reads a cell into `cell`, which has room for `type.stride` bytes.
  mutating func read(_ reader: inout ByteReader, into cell: UnsafeMutableRawPointer) throws(DamagedBytes) {
    switch type {
    case .int, .timestamp, .duration:
      last = last &+ (try reader.signed())
      cell.storeBytes(of: last, as: Int64.self)
    default: try Self.read(type, &reader, into: cell, arena)
    }
  }

  private static func read(
    _ type: ColumnType, _ reader: inout ByteReader, into cell: UnsafeMutableRawPointer, _ arena: CellArena
  ) throws(DamagedBytes) {
    switch type {
    case .int, .timestamp, .duration: cell.storeBytes(of: try reader.signed(), as: Int64.self)
    case .uint: cell.storeBytes(of: try reader.number(), as: UInt64.self)
    case .double: cell.storeBytes(of: try reader.fixed(as: UInt64.self), as: UInt64.self)
    case .bool: cell.storeBytes(of: try reader.byte() != 0, as: Bool.self)
    case .decimal: cell.storeBytes(of: try reader.signed(as: Int128.self), as: Int128.self)
    case .string, .bytes:
      let text = try reader.run().assumingMemoryBound(to: UInt8.self)
      if type == .string, !isUTF8(text) { throw DamagedBytes("a text is not UTF-8") }
      cell.storeBytes(of: BytesView(start: text.baseAddress, count: text.count), as: BytesView.self)
    case .list(let element):
      let count = try reader.count(upTo: reader.remaining)
      let memory = arena.take(count * element.stride)
      for place in 0..<count { try read(element, &reader, into: memory + place * element.stride, arena) }
      cell.storeBytes(of: ListView(start: memory, count: count), as: ListView.self)
    }
  }

  private static func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
  }
}

/// Memory that is given out piece by piece and taken back all at once.
final class CellArena {
  private var pieces: [UnsafeMutableRawPointer] = []

  deinit { removeAll() }

  func take(_ count: Int) -> UnsafeMutableRawPointer {
    let piece = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 16)
    pieces.append(piece)
    return piece
  }

  func removeAll() {
    for piece in pieces { piece.deallocate() }
    pieces.removeAll(keepingCapacity: true)
  }
}
