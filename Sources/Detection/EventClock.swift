internal import Events

/// The event time of one partition: how far it has come, and which events are late.
///
/// The watermark is the largest event time seen, less `outOfOrder`. It moves with each event: an event is late when its time
/// lies before the watermark that it finds (its own time, which can only raise the mark, makes no difference to that).
public struct EventClock: Sendable {
  /// How far behind the largest time an event may lie and still count, in nanoseconds.
  public let outOfOrder: Int64
  /// The largest event time seen, in nanoseconds since 1970; `Int64.min` before the first event.
  public private(set) var largest: Int64
  /// The watermark does not fall below this one: with another `outOfOrder` than before, it must not go back.
  private let lowest: Int64

  /// A clock; `largest` is the largest time before the first event it will see.
  public init(outOfOrder: Int64, largest: Int64 = .min) {
    self.init(outOfOrder: outOfOrder, largest: largest, lowest: .min)
  }

  init(outOfOrder: Int64, largest: Int64, lowest: Int64) {
    self.outOfOrder = outOfOrder
    self.largest = largest
    self.lowest = lowest
  }

  /// No event before this time will count any more; `Int64.min` before the first event.
  public var watermark: Int64 { max(lowest, Self.saturated(largest, minus: outOfOrder)) }

  /// Takes the decoded events of a batch in order.
  ///
  /// - Parameters:
  ///   - watermarks: by row, the watermark after that row's event.
  ///   - onTime, late: the rows of either kind.
  mutating func advance(
    _ batch: EventBatch, watermarks: UnsafeMutablePointer<Int64>, onTime: Selection, late: Selection
  ) {
    let times = batch.times
    let rows = batch.decoded.rows
    onTime.removeAll()
    late.removeAll()
    var largest = largest
    for index in 0..<batch.decoded.count {
      let row = Int(rows[index])
      let time = times[row]
      if time > largest { largest = time }
      let watermark = max(lowest, Self.saturated(largest, minus: outOfOrder))
      watermarks[row] = watermark
      if time < watermark { late.append(rows[index]) } else { onTime.append(rows[index]) }
    }
    self.largest = largest
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
