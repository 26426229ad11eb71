/// Remembers from where the input would have to be read again to make the state at hand: for places of the partition, the
/// largest event time before them.
struct ReplayLog {
  /// Places that are remembered at most; beyond, every second one is forgotten, and a replay begins somewhat earlier.
  static let placesMax = 1_024

  private var places: [ReplayPoint] = []

  /// Notes that a batch begins at this offset.
  mutating func note(_ place: ReplayPoint) {
    if let last = places.last, place.largest == last.largest { return }
    if places.count == Self.placesMax {
      places = places.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    }
    places.append(place)
  }

  /// The latest place that meets the need; earlier ones are forgotten, because what is needed only moves on.
  mutating func place(for need: ReplayNeed) -> ReplayPoint? {
    var low = 0
    var high = places.count
    while low < high {
      let middle = (low + high) / 2
      if places[middle].offset <= need.offset && places[middle].largest <= need.time {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low > 0 else { return places.first }
    if low > 1 { places.removeFirst(low - 1) }
    return places[0]
  }
}

/// Where a replay begins.
public struct ReplayPoint: Sendable, Hashable {
  /// The offset of its first record.
  public var offset: Int64
  /// The largest event time before it, in nanoseconds since 1970; `Int64.min`: there was none.
  public var largest: Int64
  /// Events up to this time are missing, whatever is read again: rules hold still until their windows lie wholly after it;
  /// `Int64.min`: none are, or `largest` says it.
  public var floor: Int64
  /// Whether nobody knows yet how much is missing before `offset`.
  public var isTrimmed: Bool

  /// A place to begin.
  public init(offset: Int64, largest: Int64, floor: Int64 = .min, isTrimmed: Bool = false) {
    self.offset = offset
    self.largest = largest
    self.floor = floor
    self.isTrimmed = isTrimmed
  }
}
