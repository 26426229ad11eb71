/// Which generation: it stays the same while the generation lives.
struct GenerationNumber: Hashable {
  let value: UInt32
}

/// The generations of windows: all pieces of one number, of whatever key, linked so that they can be dropped together. A piece
/// names its generation in four bytes and thus its number.
final class Generations {
  private struct Generation {
    var number: Int64
    var place: GenerationNumber
    var first: BlockNumber
  }

  /// Rising by number.
  private var living: [Generation] = []
  /// By generation; they stand until the next one is made.
  private(set) var numbers: UnsafeMutablePointer<Int64>
  private var capacity = 16
  private var used = 0
  private var unused: [GenerationNumber] = []

  init() { numbers = .allocate(capacity: capacity) }

  deinit { numbers.deallocate() }

  var count: Int { living.count }
  var oldest: Int64? { living.first?.number }

  @inline(__always)
  subscript(generation: GenerationNumber) -> Int64 { numbers[Int(generation.value)] }

  /// The generation of a number, made where there is none.
  func generation(_ number: Int64) -> GenerationNumber { living[place(number)].place }

  /// Puts a piece before the others of its generation; returns the one that was the first.
  func link(_ piece: BlockNumber, _ generation: GenerationNumber) -> BlockNumber {
    let place = place(self[generation])
    defer { living[place].first = piece }
    return living[place].first
  }

  /// Most numbers that are asked for are among the newest.
  private func place(_ number: Int64) -> Int {
    if let last = living.last, last.number == number { return living.count - 1 }
    var low = 0
    var high = living.count
    while low < high {
      let middle = (low + high) / 2
      if living[middle].number < number { low = middle + 1 } else { high = middle }
    }
    if low < living.count, living[low].number == number { return low }
    living.insert(Generation(number: number, place: takePlace(number), first: .none), at: low)
    return low
  }

  private func takePlace(_ number: Int64) -> GenerationNumber {
    if let place = unused.popLast() {
      numbers[Int(place.value)] = number
      return place
    }
    if used == capacity {
      let more = UnsafeMutablePointer<Int64>.allocate(capacity: 2 * capacity)
      more.update(from: numbers, count: used)
      numbers.deallocate()
      numbers = more
      capacity *= 2
    }
    numbers[used] = number
    used += 1
    return GenerationNumber(value: UInt32(used - 1))
  }

  /// Takes the oldest out; returns the first of its pieces. Its number stands until the next generation is made.
  func removeOldest() -> BlockNumber {
    let oldest = living.removeFirst()
    unused.append(oldest.place)
    return oldest.first
  }

  /// Takes out those without a piece.
  func removeEmpty() {
    unused += living.filter(\.first.isNone).map(\.place)
    living.removeAll(where: \.first.isNone)
  }
}
