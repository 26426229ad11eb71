internal import Events
internal import Foundation

/// Compares texts by their bytes, which is the order of their code points.
final class TextComparisonKernel: ComputingKernel {
  private let operation: Operation
  private let left: Kernel
  private let right: Kernel

  init(_ operation: Operation, _ left: Kernel, _ right: Kernel, capacity: Int) {
    self.operation = operation
    self.left = left
    self.right = right
    super.init(.bool, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let a = left.evaluate(frame, rows)
    let b = right.evaluate(frame, rows)
    let column = output.column
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      guard a.states[row] | b.states[row] == CellState.value.rawValue else {
        column.states[row] = CellState.error.rawValue
        continue
      }
      column.bools[row] = test(a.views[row], b.views[row])
      column.states[row] = CellState.value.rawValue
    }
    return column
  }

  @inline(__always)
  private func test(_ a: BytesView, _ b: BytesView) -> Bool {
    switch operation {
    case .equal: TextBytes.areEqual(a, b)
    case .notEqual: !TextBytes.areEqual(a, b)
    case .less: TextBytes.order(a, b) < 0
    case .lessOrEqual: TextBytes.order(a, b) <= 0
    case .greater: TextBytes.order(a, b) > 0
    default: TextBytes.order(a, b) >= 0
    }
  }
}

/// Runs of bytes compared.
enum TextBytes {
  @inline(__always)
  static func areEqual(_ a: BytesView, _ b: BytesView) -> Bool {
    guard a.count == b.count else { return false }
    guard a.count > 0, let x = a.start, let y = b.start else { return true }
    return memcmp(x, y, a.count) == 0
  }

  static func order(_ a: BytesView, _ b: BytesView) -> Int {
    let shared = min(a.count, b.count)
    if shared > 0, let x = a.start, let y = b.start {
      let order = memcmp(x, y, shared)
      if order != 0 { return Int(order) }
    }
    return a.count - b.count
  }
}

/// `x in ['a', 'b']`.
final class InListKernel: ComputingKernel {
  private let operand: Kernel
  private let texts: [ConstantCell]
  private let views: [BytesView]

  init(_ operand: Kernel, _ texts: [[UInt8]], capacity: Int) {
    self.operand = operand
    self.texts = texts.compactMap { ConstantCell(.string(String(decoding: $0, as: UTF8.self)), type: .string) }
    views = self.texts.map { $0.column.views[0] }
    super.init(.bool, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let source = operand.evaluate(frame, rows)
    let column = output.column
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      guard source.states[row] == CellState.value.rawValue else {
        column.states[row] = CellState.error.rawValue
        continue
      }
      let view = source.views[row]
      column.bools[row] = views.contains { TextBytes.areEqual($0, view) }
      column.states[row] = CellState.value.rawValue
    }
    return column
  }
}

/// `contains`, `startsWith`, `endsWith` and `matches` with a text that is known beforehand.
final class SearchKernel: ComputingKernel {
  private let operation: Operation
  private let operand: Kernel
  private let part: [UInt8]

  init(_ operation: Operation, _ operand: Kernel, _ part: [UInt8], capacity: Int) {
    self.operation = operation
    self.operand = operand
    self.part = part
    super.init(.bool, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let source = operand.evaluate(frame, rows)
    let column = output.column
    part.withUnsafeBufferPointer { part in
      for index in 0..<rows.count {
        let row = Int(rows.rows[index])
        guard source.states[row] == CellState.value.rawValue else {
          column.states[row] = CellState.error.rawValue
          continue
        }
        column.bools[row] = test(source.views[row].buffer, part)
        column.states[row] = CellState.value.rawValue
      }
    }
    return column
  }

  private func test(_ text: UnsafeBufferPointer<UInt8>, _ part: UnsafeBufferPointer<UInt8>) -> Bool {
    switch operation {
    case .contains: ByteSearch.contains(text, part)
    case .startsWith: text.count >= part.count && text.prefix(part.count).elementsEqual(part)
    case .endsWith: text.count >= part.count && text.suffix(part.count).elementsEqual(part)
    case .matches(let pattern): pattern?.matches(text) ?? false
    default: false
    }
  }
}
