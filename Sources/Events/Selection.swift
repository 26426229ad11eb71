/// Which rows of a batch an operation concerns: row numbers in rising order, at most the capacity it was made with.
public final class Selection {
  /// The row numbers; the first `count` of them hold.
  public let rows: UnsafeMutablePointer<Int32>
  /// Most rows.
  public let capacity: Int
  /// Rows selected.
  public var count: Int

  /// An empty selection with room for `capacity` rows.
  public init(capacity: Int) {
    self.capacity = capacity
    rows = .allocate(capacity: max(capacity, 1))
    count = 0
  }

  deinit { rows.deallocate() }

  /// Selects the rows from 0 up to `count`.
  public func selectAll(_ count: Int) {
    precondition(count <= capacity)
    for row in 0..<count { rows[row] = Int32(truncatingIfNeeded: row) }
    self.count = count
  }

  /// Selects one more row, of a larger number than the last.
  ///
  /// - Precondition: there is room for it.
  @inlinable
  public func append(_ row: Int32) {
    precondition(count < capacity)
    rows[count] = row
    count += 1
  }

  /// Selects nothing; the memory stays.
  public func removeAll() { count = 0 }

  /// Takes one row out, if it is in.
  public func remove(_ row: Int32) {
    guard let place = (0..<count).last(where: { rows[$0] == row }) else { return }
    for index in place..<(count - 1) { rows[index] = rows[index + 1] }
    count -= 1
  }

  /// The row numbers, to look at (tests, alerts).
  public var indices: [Int] { (0..<count).map { Int(rows[$0]) } }
}

/// What expressions see of one batch: its columns by slot, and the tables by number. An `Environment` of names to slots
/// and types is what an expression is compiled against: fields come first, then whatever a rule adds (its `let` names).
public struct Frame {
  /// Rows of every column.
  public var count: Int
  /// By slot.
  public var columns: [Column]
  /// One version of every table of the pipeline, in the file's order: the same from the batch's start to its end.
  public var tables: [any ReferenceTable]

  /// `count` rows of these columns, and these versions of the tables.
  public init(count: Int, columns: [Column], tables: [any ReferenceTable] = []) {
    self.count = count
    self.columns = columns
    self.tables = tables
  }
}
