internal import Events
internal import Expressions

/// Computes the derived fields, which may read tables, and puts them into the batch's columns.
final class EnrichStage {
  private struct Derived {
    var slot: Int
    var absence: Field.Absence
    var fallback: ConstantCell?
    var evaluator: ColumnEvaluator
    var text: String
  }

  private let derived: [Derived]

  init(_ plan: PipelinePlan) {
    derived = plan.derived.map { field in
      let declaration = plan.schema.fields[field.slot]
      var fallback: ConstantCell?
      if case .defaultValue(let value) = declaration.absence {
        fallback = ConstantCell(value, type: declaration.type.columnType)
      }
      return Derived(
        slot: field.slot, absence: declaration.absence, fallback: fallback,
        evaluator: field.program.evaluator(capacity: plan.limits.batchRecords), text: field.program.text)
    }
  }

  func run(_ batch: EventBatch, tables: [any ReferenceTable]) {
    guard !derived.isEmpty else { return }
    let frame = Frame(count: batch.count, columns: batch.columns, tables: tables)
    for field in derived {
      let values = field.evaluator.evaluate(frame, rows: batch.decoded)
      store(values, field, batch)
    }
  }

  private func store(_ values: Column, _ field: Derived, _ batch: EventBatch) {
    let target = batch.columns[field.slot]
    let stride = target.type.stride
    let promotes = values.type == .int && target.type == .double
    let rows = batch.decoded.rows
    var missing: [Int] = []
    for index in 0..<batch.decoded.count {
      let row = Int(rows[index])
      guard values.states[row] == CellState.value.rawValue else {
        missing.append(row)
        continue
      }
      if promotes {
        target.doubles[row] = Double(values.ints[row])
      } else {
        (target.cells + row * stride).copyMemory(from: values.cells + row * stride, byteCount: stride)
      }
      target.states[row] = CellState.value.rawValue
    }
    for row in missing { storeMissing(field, target, row, batch) }
  }

  private func storeMissing(_ field: Derived, _ target: Column, _ row: Int, _ batch: EventBatch) {
    if let fallback = field.fallback {
      fallback.write(to: target, row: row)
    } else if field.absence == .optional {
      target.states[row] = CellState.absent.rawValue
    } else {
      batch.fail(row: row, reason: .derivedFailed, field: field.slot, detail: "`\(field.text)` has no value")
    }
  }
}
