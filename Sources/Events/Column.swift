/// What a cell of a column holds.
public enum CellState: UInt8, Sendable {
  /// A value.
  case value = 0
  /// Nothing: the field was optional and the event does not have it. `has()` is false; needing it is an error.
  case absent = 1
  /// An error: an expression failed for this row (CEL's error value).
  case error = 2
}

/// A borrowed run of bytes. It does not keep its memory alive: whoever hands it out says for how long it stands
/// (for an event's field: until its `RecordBatch` is reset).
public struct BytesView: @unchecked Sendable {
  // Unchecked: a plain pointer and count; the owner of the memory confines it to one batch on one queue.
  /// The first byte; nil only where there is none.
  public let start: UnsafePointer<UInt8>?
  /// Bytes.
  public let count: Int

  /// The `count` bytes from `start` on.
  @inlinable
  public init(start: UnsafePointer<UInt8>?, count: Int) {
    self.start = start
    self.count = count
  }

  /// No bytes.
  public static let empty = BytesView(start: nil, count: 0)

  /// The bytes as a buffer.
  @inlinable
  public var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  /// The bytes as text; invalid UTF-8 is repaired with U+FFFD. Off the hot path only: it allocates.
  public var string: String { String(decoding: buffer, as: UTF8.self) }
}

/// A borrowed run of list elements, laid out as a column of the element type lays its cells.
public struct ListView: @unchecked Sendable {
  // Unchecked: as `BytesView`.
  /// The first element's cell; nil only where there is none.
  public let start: UnsafeRawPointer?
  /// Elements.
  public let count: Int

  /// The `count` elements from `start` on.
  @inlinable
  public init(start: UnsafeRawPointer?, count: Int) {
    self.start = start
    self.count = count
  }
}

/// A borrowed view of one column: a state and a cell per row. The owner (an `EventBatch`, a program's scratch, a rule's
/// output columns) says for how long it stands; a cell may be read only where its state is `.value`.
public struct Column: @unchecked Sendable {
  // Unchecked: as `BytesView`.
  /// What the cells are.
  public let type: ColumnType
  /// A `CellState` raw value per row.
  public let states: UnsafeMutablePointer<UInt8>
  /// A cell per row, `type.stride` bytes each; the typed views below read it.
  public let cells: UnsafeMutableRawPointer

  /// A view of memory that has room for the same number of states and cells.
  @inlinable
  public init(type: ColumnType, states: UnsafeMutablePointer<UInt8>, cells: UnsafeMutableRawPointer) {
    self.type = type
    self.states = states
    self.cells = cells
  }

  /// Cells of `.int`, `.timestamp` and `.duration`.
  @inlinable public var ints: UnsafeMutablePointer<Int64> { cells.assumingMemoryBound(to: Int64.self) }
  /// Cells of `.uint`.
  @inlinable public var uints: UnsafeMutablePointer<UInt64> { cells.assumingMemoryBound(to: UInt64.self) }
  /// Cells of `.double`.
  @inlinable public var doubles: UnsafeMutablePointer<Double> { cells.assumingMemoryBound(to: Double.self) }
  /// Cells of `.bool`.
  @inlinable public var bools: UnsafeMutablePointer<Bool> { cells.assumingMemoryBound(to: Bool.self) }
  /// Cells of `.decimal`.
  @inlinable public var decimals: UnsafeMutablePointer<Int128> { cells.assumingMemoryBound(to: Int128.self) }
  /// Cells of `.string` and `.bytes`.
  @inlinable public var views: UnsafeMutablePointer<BytesView> { cells.assumingMemoryBound(to: BytesView.self) }
  /// Cells of `.list`.
  @inlinable public var lists: UnsafeMutablePointer<ListView> { cells.assumingMemoryBound(to: ListView.self) }

  /// What the cell of `row` holds.
  @inlinable
  public func state(_ row: Int) -> CellState { CellState(rawValue: states[row]) ?? .error }
}

extension ColumnType {
  /// Bytes that one cell takes.
  public var stride: Int {
    switch self {
    case .int, .uint, .double, .timestamp, .duration: 8
    case .bool: 1
    case .decimal, .string, .bytes, .list: 16
    }
  }
}

/// Owns the memory of one column of a fixed number of rows. Cells start as absent.
public final class ColumnStorage {
  /// The memory as a column; it stands as long as this object.
  public let column: Column
  /// Rows.
  public let capacity: Int

  /// Room for `capacity` rows, all of them absent.
  public init(type: ColumnType, capacity: Int) {
    self.capacity = capacity
    let states = UnsafeMutablePointer<UInt8>.allocate(capacity: max(capacity, 1))
    states.initialize(repeating: CellState.absent.rawValue, count: max(capacity, 1))
    let byteCount = max(capacity, 1) * type.stride
    let cells = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
    cells.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    column = Column(type: type, states: states, cells: cells)
  }

  deinit {
    column.states.deallocate()
    column.cells.deallocate()
  }
}
