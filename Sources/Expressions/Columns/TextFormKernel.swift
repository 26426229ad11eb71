internal import Events

/// Brings texts into the form in which fields of a type hold theirs. What is in it already is not copied.
final class TextFormKernel: ComputingKernel {
  private let form: TextForm
  private let operand: Kernel
  private let isStrict: Bool
  /// What was changed, until the next call.
  private var memory: UnsafeMutablePointer<UInt8>
  private var memoryCount = 0

  init(_ form: TextForm, _ operand: Kernel, isStrict: Bool, capacity: Int) {
    self.form = form
    self.operand = operand
    self.isStrict = isStrict
    memory = .allocate(capacity: 1)
    super.init(.string, capacity: capacity)
  }

  deinit { memory.deallocate() }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let source = operand.evaluate(frame, rows)
    reserve(source, rows)
    let column = output.column
    var target = memory
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      guard source.states[row] == CellState.value.rawValue else {
        column.states[row] = CellState.error.rawValue
        continue
      }
      let view = source.views[row]
      column.states[row] = CellState.value.rawValue
      column.views[row] = view
      switch form {
      case .plain: break
      case .address:
        guard AddressNormaliser.needsChange(view.buffer) else { continue }
        let count = AddressNormaliser.normalise(view.buffer, into: target)
        column.views[row] = BytesView(start: target, count: count)
        target += count
      case .ip:
        if let count = InternetAddress.canonical(view.buffer, into: target) {
          column.views[row] = BytesView(start: target, count: count)
          target += count
        } else if isStrict {
          column.states[row] = CellState.error.rawValue
        }
      }
    }
    return column
  }

  /// Room for all that may change, so that what was written stays where it is.
  private func reserve(_ source: Column, _ rows: Selection) {
    var needed = 0
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      guard source.states[row] == CellState.value.rawValue else { continue }
      needed += form == .ip ? InternetAddress.maximumTextCount : source.views[row].count
    }
    guard needed > memoryCount else { return }
    memory.deallocate()
    memory = .allocate(capacity: needed)
    memoryCount = needed
  }
}
