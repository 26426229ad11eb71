internal import Events

/// The event time of one partition: how far it has come, and which events are late.
///
/// The watermark is the largest event time seen, less `outOfOrder`; behind an exchange it is given with the batch. It moves
/// with each event: an event is late when its time lies before the watermark that it finds (its own time, which can only
/// raise the mark, makes no difference to that).
public struct EventClock: Sendable {
  /// How far behind the largest time an event may lie and still count, in nanoseconds.
  public let outOfOrder: Int64
  /// The largest event time seen, in nanoseconds since 1970; `Int64.min` before the first event.
  public private(set) var largest: Int64
  /// No event that was seen has a later time: behind an exchange some sources run ahead of the watermark.
  private(set) var newest: Int64
  /// The watermark does not fall below this one: with another `outOfOrder` than before, it must not go back.
  private let lowest: Int64

  /// A clock; `largest` is the largest time before the first event it will see.
  public init(outOfOrder: Int64, largest: Int64 = .min) {
    self.init(outOfOrder: outOfOrder, largest: largest, newest: largest, lowest: .min)
  }

  init(outOfOrder: Int64, largest: Int64, newest: Int64, lowest: Int64) {
    self.outOfOrder = outOfOrder
    self.largest = largest
    self.newest = newest
    self.lowest = lowest
  }

  /// No event before this time will count any more; `Int64.min` before the first event.
  public var watermark: Int64 { max(lowest, Self.saturated(largest, minus: outOfOrder)) }

  /// Takes the decoded events of a batch in order.
  ///
  /// - Parameters:
  ///   - watermarks: by row, decoded or not, the watermark after that row.
  ///   - onTime, late: the rows of either kind.
  mutating func advance(
    _ batch: EventBatch, watermarks: UnsafeMutablePointer<Int64>, onTime: Selection, late: Selection
  ) {
    onTime.removeAll()
    late.removeAll()
    if let given = batch.givenTime {
      return take(given, batch, watermarks: watermarks, onTime: onTime, late: late)
    }
    let times = batch.times
    let rows = batch.decoded.rows
    var largest = largest
    var next = 0
    for index in 0..<batch.decoded.count {
      let row = Int(rows[index])
      fill(watermarks, next..<row, largest)
      next = row + 1
      let time = times[row]
      if time > largest { largest = time }
      let watermark = max(lowest, Self.saturated(largest, minus: outOfOrder))
      watermarks[row] = watermark
      if time < watermark { late.append(rows[index]) } else { onTime.append(rows[index]) }
    }
    fill(watermarks, next..<batch.count, largest)
    self.largest = largest
    newest = max(newest, largest)
  }

  /// Rows that are no event leave the watermark where it is.
  private func fill(_ watermarks: UnsafeMutablePointer<Int64>, _ rows: Range<Int>, _ largest: Int64) {
    for row in rows { watermarks[row] = max(lowest, Self.saturated(largest, minus: outOfOrder)) }
  }

  /// Takes events whose time was measured where they were read. One that was late there is in neither selection; one that
  /// was on time there is late here only where its partition had been declared idle before it.
  private mutating func take(
    _ given: GivenTime, _ batch: EventBatch, watermarks: UnsafeMutablePointer<Int64>, onTime: Selection, late: Selection
  ) {
    var watermark = watermark
    for row in 0..<batch.count {
      watermark = max(watermark, given.watermarks[row])
      watermarks[row] = watermark
    }
    let times = batch.times
    for index in 0..<batch.decoded.count {
      let row = Int(batch.decoded.rows[index])
      newest = max(newest, times[row])
      if times[row] < given.sourceWatermarks[row] { continue }
      if times[row] < watermarks[row] {
        late.append(batch.decoded.rows[index])
      } else {
        onTime.append(batch.decoded.rows[index])
      }
    }
    if watermark > .min { largest = max(largest, Self.saturated(watermark, plus: outOfOrder)) }
  }

  static func saturated(_ time: Int64, minus distance: Int64) -> Int64 {
    let (result, overflow) = time.subtractingReportingOverflow(distance)
    return overflow ? (distance > 0 ? .min : .max) : result
  }

  static func saturated(_ time: Int64, plus distance: Int64) -> Int64 {
    let (result, overflow) = time.addingReportingOverflow(distance)
    return overflow ? (distance > 0 ? .max : .min) : result
  }
}
