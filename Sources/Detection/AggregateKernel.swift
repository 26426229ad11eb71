internal import Events
internal import Expressions

/// A run of rows of one batch that are worked on together: nothing is dropped between its first and its last row.
struct WindowSegment {
  var rows: Selection
  /// By place in `rows`.
  var pieces: UnsafeMutablePointer<UnsafeMutablePointer<WindowPiece>>
  var ranges: UnsafeMutablePointer<WindowGrid.Range>
  /// By place in `rows`, the pieces of a window of several.
  var members: WindowMembers
  var batch: EventBatch
  let windows: KeyedWindows
}

/// One aggregate of a rule: it keeps a cell in each piece of time of each key, takes events in, and says for each what the
/// window that ends with it comes to. It goes over whole segments: one dynamic call a segment, not one an event.
class AggregateKernel {
  let output: ColumnStorage
  /// Bytes of its cell in a piece, and once a key.
  let pieceSize: Int
  let entrySize: Int
  /// Where they begin after the headers; set when the rule's layout is made.
  var pieceOffset = WindowPiece.headerSize
  var entryOffset = KeyEntry.headerSize
  private let argument: ColumnEvaluator?
  private let filter: ColumnEvaluator?
  private(set) var values: Column?
  private(set) var takes: Column?

  init(_ call: AggregateCall, pieceSize: Int, entrySize: Int = 0, capacity: Int) {
    output = ColumnStorage(type: call.resultType, capacity: capacity)
    self.pieceSize = (pieceSize + 7) & ~7
    self.entrySize = (entrySize + 7) & ~7
    argument = call.argument?.evaluator(capacity: capacity)
    filter = call.filter?.evaluator(capacity: capacity)
  }

  /// Computes what the aggregate takes in, for all rows of a batch.
  func prepare(_ frame: Frame, rows: Selection) {
    values = argument?.evaluate(frame, rows: rows)
    takes = filter?.evaluate(frame, rows: rows)
  }

  func initialize(piece: UnsafeMutableRawPointer) {
    piece.initializeMemory(as: UInt8.self, repeating: 0, count: pieceSize)
  }
  func initialize(entry: UnsafeMutableRawPointer) {
    entry.initializeMemory(as: UInt8.self, repeating: 0, count: entrySize)
  }
  /// Asked only where it `holdsMemory`.
  func destroy(piece: UnsafeMutablePointer<WindowPiece>, number: Int64, of entry: UnsafeMutablePointer<KeyEntry>) {}
  /// Writes what its cell in a piece holds.
  func write(_ piece: UnsafeMutablePointer<WindowPiece>, to writer: inout ByteWriter) {
    preconditionFailure("an aggregate writes its cell")
  }
  /// Sets its cell, which holds nothing yet, to what was written.
  func read(_ reader: inout ByteReader, into piece: UnsafeMutablePointer<WindowPiece>) throws(DamagedBytes) {
    preconditionFailure("an aggregate reads its cell")
  }
  /// Takes over what cells of the same aggregate of another detector hold elsewhere.
  func adopt(_ other: AggregateKernel) {}
  /// Whether a cell may hold memory of its own.
  var holdsMemory: Bool { false }
  func destroy(entry: UnsafeMutableRawPointer) {}
  /// Bytes that its cells hold elsewhere.
  var outsideByteCount: Int { 0 }
  /// More bytes than one event of the batch at hand can add to them.
  var growthLimit: Int { 16_384 }

  func run(_ segment: WindowSegment) { preconditionFailure("an aggregate runs") }

  /// Whether the event of a row is taken in.
  @inline(__always)
  final func isTaken(_ row: Int) -> Bool {
    if let takes, takes.states[row] != CellState.value.rawValue || !takes.bools[row] { return false }
    if let values, values.states[row] != CellState.value.rawValue { return false }
    return true
  }

  @inline(__always)
  final func cell(_ piece: UnsafeMutablePointer<WindowPiece>) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(piece) + pieceOffset
  }

  @inline(__always)
  final func cell(_ entry: UnsafeMutablePointer<KeyEntry>) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(entry) + entryOffset
  }

  /// The cells of the pieces in the window that ends with the event at a place of the segment, newest first.
  @inline(__always)
  final func forEachCell(_ segment: WindowSegment, _ index: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
    // Most windows are one piece.
    if segment.ranges[index].low == segment.ranges[index].high { return body(cell(segment.pieces[index])) }
    for piece in segment.members[index] { body(cell(piece)) }
  }
}

extension AggregateKernel {
  /// Whether cells of the one are cells of the other.
  final func isLike(_ other: AggregateKernel) -> Bool {
    type(of: self) == type(of: other) && pieceSize == other.pieceSize && entrySize == other.entrySize
      && output.column.type == other.output.column.type
  }

  /// The kernel for a call. `spansPieces`: windows are made of several pieces.
  static func make(_ call: AggregateCall, spansPieces: Bool, capacity: Int) -> AggregateKernel {
    let type = call.argument?.type
    let isWide = if case .decimal = type { true } else { false }
    switch call.function {
    case .count: return CountKernel(call, pieceSize: 8, capacity: capacity)
    case .countDistinct: return DistinctKernel(call, spansPieces: spansPieces, capacity: capacity)
    case .sum:
      if type == .double { return DoubleSumKernel(call, pieceSize: 8, capacity: capacity) }
      return IntegerSumKernel(call, isWide: isWide, capacity: capacity)
    case .avg:
      if type == .double {
        return DoubleAverageKernel(call, pieceSize: MemoryLayout<DoubleAverageKernel.Cell>.stride, capacity: capacity)
      }
      return IntegerAverageKernel(call, isWide: isWide, capacity: capacity)
    case .min, .max, .earliest, .latest: return pick(call, type ?? .int, capacity)
    }
  }

  private static func pick(_ call: AggregateCall, _ type: ColumnType, _ capacity: Int) -> AggregateKernel {
    switch type {
    case .double: DoublePickKernel(call, capacity: capacity)
    case .uint: UnsignedPickKernel(call, capacity: capacity)
    case .decimal: DecimalPickKernel(call, capacity: capacity)
    case .bool: BoolPickKernel(call, capacity: capacity)
    case .string, .bytes: TextPickKernel(call, capacity: capacity)
    case .int, .timestamp, .duration, .list: IntegerPickKernel(call, capacity: capacity)
    }
  }
}
