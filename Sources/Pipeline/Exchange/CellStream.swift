internal import Events

/// The cells of one column as bytes: written row by row at the source, read row by row behind the exchange. Integers go as
/// differences from the one before.
struct CellStream {
  let type: ColumnType
  private(set) var bytes: [UInt8] = []
  private(set) var states: [UInt8] = []
  private(set) var hasGaps = false
  private var last: Int64 = 0

  init(_ type: ColumnType) { self.type = type }

  var byteCount: Int { bytes.count + states.count }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
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
      bytes.append(signed: value &- last)
      last = value
    case .string, .bytes:
      let view = column.views[row]
      bytes.append(varint: UInt64(view.count))
      bytes.append(contentsOf: view.buffer)
    default: Self.append(type, UnsafeRawPointer(column.cells) + row * type.stride, to: &bytes)
    }
  }

  private static func append(_ type: ColumnType, _ cell: UnsafeRawPointer, to bytes: inout [UInt8]) {
    switch type {
    case .int, .timestamp, .duration: bytes.append(signed: cell.load(as: Int64.self))
    case .uint: bytes.append(varint: cell.load(as: UInt64.self))
    case .double: bytes.append(word: cell.load(as: Double.self).bitPattern)
    case .bool: bytes.append(cell.load(as: Bool.self) ? 1 : 0)
    case .decimal: bytes.append(wideVarint: cell.load(as: Int128.self).zigzagged)
    case .string, .bytes:
      let view = cell.load(as: BytesView.self)
      bytes.append(varint: UInt64(view.count))
      bytes.append(contentsOf: view.buffer)
    case .list(let element):
      let list = cell.load(as: ListView.self)
      bytes.append(varint: UInt64(list.count))
      guard let start = list.start else { return }
      for place in 0..<list.count { append(element, start + place * element.stride, to: &bytes) }
    }
  }
}

/// Reads the cells of one column from a block, into a column or past it.
struct CellReading {
  /// What is wrong with a column's cells.
  enum Problem: Error {
    case truncated
    case malformed(String)
  }

  let type: ColumnType
  /// Memory for the elements of lists, which stands until the batch is done.
  let arena: CellArena
  private var last: Int64 = 0

  init(_ type: ColumnType, _ arena: CellArena) {
    self.type = type
    self.arena = arena
  }

  /// Reads a cell into `cell`, which has room for `type.stride` bytes.
  mutating func read(_ reader: inout ByteReader, into cell: UnsafeMutableRawPointer) throws(Problem) {
    switch type {
    case .int, .timestamp, .duration:
      let delta: Int64
      do throws(ByteReader.Truncated) { delta = try reader.signed() } catch { throw .truncated }
      last = last &+ delta
      cell.storeBytes(of: last, as: Int64.self)
    default: try Self.read(type, &reader, into: cell, arena)
    }
  }

  private static func read(
    _ type: ColumnType, _ reader: inout ByteReader, into cell: UnsafeMutableRawPointer, _ arena: CellArena
  ) throws(Problem) {
    do throws(ByteReader.Truncated) {
      switch type {
      case .int, .timestamp, .duration: cell.storeBytes(of: try reader.signed(), as: Int64.self)
      case .uint: cell.storeBytes(of: try reader.varint(), as: UInt64.self)
      case .double: cell.storeBytes(of: Double(bitPattern: try reader.word()), as: Double.self)
      case .bool: cell.storeBytes(of: try reader.byte() != 0, as: Bool.self)
      case .decimal: cell.storeBytes(of: try reader.wideVarint().unzigzagged, as: Int128.self)
      case .string, .bytes:
        let view = try reader.take(try reader.count(upTo: reader.remaining))
        if type == .string, !isUTF8(view) { throw ByteReader.Truncated() }
        cell.storeBytes(of: BytesView(start: view.baseAddress, count: view.count), as: BytesView.self)
      case .list: break
      }
    } catch {
      throw .truncated
    }
    guard case .list(let element) = type else { return }
    let count: Int
    do throws(ByteReader.Truncated) { count = try reader.count(upTo: reader.remaining) } catch { throw .truncated }
    let memory = arena.take(count * element.stride)
    for place in 0..<count { try read(element, &reader, into: memory + place * element.stride, arena) }
    cell.storeBytes(of: ListView(start: memory, count: count), as: ListView.self)
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
