/// Which rows of a batch an operation concerns: row numbers in rising order, at most the capacity it was made with.
public final class Selection {
  public let rows: UnsafeMutablePointer<Int32>
  public let capacity: Int
  public var count: Int

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

  @inlinable
  public func append(_ row: Int32) {
    precondition(count < capacity)
    rows[count] = row
    count += 1
  }

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
  public var count: Int
  public var columns: [Column]
  /// One version of every table of the pipeline, in the file's order: the same from the batch's start to its end.
  public var tables: [any ReferenceTable]

  public init(count: Int, columns: [Column], tables: [any ReferenceTable] = []) {
    self.count = count
    self.columns = columns
    self.tables = tables
  }
}
