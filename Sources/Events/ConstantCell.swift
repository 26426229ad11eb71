/// One value laid out as a cell, with the memory it points into: a default, a parameter.
public final class ConstantCell: @unchecked Sendable {
  // Unchecked: written once, in `init`.
  /// What the cell is.
  public let type: ColumnType
  private let storage: ColumnStorage
  private var owned: [UnsafeMutableRawPointer] = []

  /// nil where the value is not of this type (an int does for a double, and for a decimal that can hold it exactly).
  public init?(_ value: Scalar, type: ColumnType) {
    self.type = type
    storage = ColumnStorage(type: type, capacity: 1)
    guard write(value, type, storage.column.cells) else { return nil }
    storage.column.states[0] = CellState.value.rawValue
  }

  /// A cell of type `.bytes`, with any bytes.
  public init(bytes: [UInt8]) {
    type = .bytes
    storage = ColumnStorage(type: .bytes, capacity: 1)
    writeBytes(bytes, storage.column.cells)
    storage.column.states[0] = CellState.value.rawValue
  }

  deinit { for memory in owned { memory.deallocate() } }

  /// A column of one row that holds the value; it stands as long as this object.
  public var column: Column { storage.column }

  /// Sets a cell of a column of the same type. It points into this object's memory.
  @inlinable
  public func write(to column: Column, row: Int) {
    let stride = type.stride
    (column.cells + row * stride).copyMemory(from: self.column.cells, byteCount: stride)
    column.states[row] = CellState.value.rawValue
  }

  private func write(_ value: Scalar, _ type: ColumnType, _ cell: UnsafeMutableRawPointer) -> Bool {
    switch (type, value) {
    case (.int, .int(let number)), (.timestamp, .timestamp(let number)), (.duration, .duration(let number)):
      cell.storeBytes(of: number, as: Int64.self)
    case (.uint, .uint(let number)): cell.storeBytes(of: number, as: UInt64.self)
    case (.double, .double(let number)): cell.storeBytes(of: number, as: Double.self)
    case (.double, .int(let number)): cell.storeBytes(of: Double(number), as: Double.self)
    case (.bool, .bool(let flag)): cell.storeBytes(of: flag, as: Bool.self)
    case (.decimal(let scale), .decimal(let number, let own)):
      guard let scaled = Self.rescale(number, from: own, to: scale) else { return false }
      cell.storeBytes(of: scaled, as: Int128.self)
    case (.decimal(let scale), .int(let number)):
      guard let scaled = Self.rescale(Int128(number), from: 0, to: scale) else { return false }
      cell.storeBytes(of: scaled, as: Int128.self)
    case (.string, .string(let text)), (.bytes, .string(let text)): writeBytes(Array(text.utf8), cell)
    case (.list(let element), .list(let values)): return writeList(values, element, cell)
    default: return false
    }
    return true
  }

  private func writeBytes(_ bytes: [UInt8], _ cell: UnsafeMutableRawPointer) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 16)
    owned.append(memory)
    bytes.withUnsafeBytes { source in
      if let base = source.baseAddress { memory.copyMemory(from: base, byteCount: bytes.count) }
    }
    cell.storeBytes(
      of: BytesView(start: UnsafePointer(memory.assumingMemoryBound(to: UInt8.self)), count: bytes.count),
      as: BytesView.self)
  }

  private func writeList(_ values: [Scalar], _ element: ColumnType, _ cell: UnsafeMutableRawPointer) -> Bool {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(values.count, 1) * element.stride, alignment: 16)
    owned.append(memory)
    for (index, value) in values.enumerated() {
      guard write(value, element, memory + index * element.stride) else { return false }
    }
    cell.storeBytes(of: ListView(start: memory, count: values.count), as: ListView.self)
    return true
  }

  private static func rescale(_ value: Int128, from: Int, to: Int) -> Int128? {
    var value = value
    for _ in 0..<max(0, to - from) {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
    }
    for _ in 0..<max(0, from - to) {
      let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 10)
      if remainder != 0 { return nil }
      value = quotient
    }
    return value
  }
}
