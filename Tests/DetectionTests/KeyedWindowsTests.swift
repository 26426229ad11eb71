import Events
import TestSupport
import Testing

@testable import Detection

/// The table of keys against a dictionary of dictionaries.
@Suite struct KeyedWindowsTests {
  /// One number a piece and one a key, and a count of what is alive.
  private final class Cells: CellOwner {
    var pieces = 0
    var entries = 0
    func initialize(piece: UnsafeMutablePointer<WindowPiece>) {
      pieces += 1
      WindowPiece.cells(piece).storeBytes(of: 0, as: Int64.self)
    }
    func initialize(entry: UnsafeMutablePointer<KeyEntry>) {
      entries += 1
      KeyEntry.cells(entry).storeBytes(of: 0, as: Int64.self)
    }
    func destroy(piece: UnsafeMutablePointer<WindowPiece>, number: Int64, of entry: UnsafeMutablePointer<KeyEntry>) {
      pieces -= 1
    }
    func destroy(entry: UnsafeMutablePointer<KeyEntry>) { entries -= 1 }
    var outsideByteCount: Int { 0 }
    var holdMemory: Bool { false }
  }

  @Test(arguments: UInt64(0)..<20)
  func itHoldsWhatADictionaryHolds(_ seed: UInt64) {
    var random = SeededRandom(seed)
    let cells = Cells()
    let grid = WindowGrid(seed % 2 == 0 ? .tumbling(10) : .trailing(600))
    let windows = KeyedWindows(grid: grid, entryCells: 16, pieceCells: 16, cells: cells)
    let start = windows.byteCount
    // Few low bits, so that keys meet in the table.
    let keys = (0..<Int(random.pick([3, 50, 2_000]))).map { place in
      KeyHash(low: UInt64(random.int(0...40)) << 1, high: UInt64(place))
    }
    var model: [KeyHash: [Int64: Int64]] = [:]
    var now: Int64 = -500
    for step in 0..<4_000 {
      now += random.int(0...3)
      let key = random.pick(keys)
      let number = grid.range(now - random.int(0...50)).high
      #expect(windows.has(key, number: number) == (model[key]?[number] != nil))
      let piece = windows.piece(key, number: number)
      #expect(windows.number(of: piece) == number && windows.entry(of: piece).pointee.hash == key)
      let cell = WindowPiece.cells(piece).assumingMemoryBound(to: Int64.self)
      #expect(cell.pointee == model[key]?[number] ?? 0)
      cell.pointee = Int64(step)
      model[key, default: [:]][number] = Int64(step)
      if random.once(in: 20) { expire(windows, &model, watermark: now - 60) }
      if random.once(in: 100) { drop(windows, &model) }
      if random.once(in: 50) { check(windows, model, keys) }
    }
    check(windows, model, keys)
    expire(windows, &model, watermark: now + 10_000)
    #expect(windows.keyCount == 0 && windows.byteCount == start && windows.generationCount == 0)
    #expect(cells.pieces == 0 && cells.entries == 0 && windows.nextExpiry == .max)
  }

  private func expire(_ windows: KeyedWindows, _ model: inout [KeyHash: [Int64: Int64]], watermark: Int64) {
    windows.expire(watermark: watermark)
    for key in model.keys {
      model[key] = model[key]?.filter { windows.grid.expiry($0.key) > watermark }
      if model[key]?.isEmpty == true { model[key] = nil }
    }
  }

  private func drop(_ windows: KeyedWindows, _ model: inout [KeyHash: [Int64: Int64]]) {
    windows.dropOldestGeneration()
    let oldest = model.values.flatMap(\.keys).min()
    for key in model.keys {
      model[key]?.removeValue(forKey: oldest ?? 0)
      if model[key]?.isEmpty == true { model[key] = nil }
    }
  }

  private func check(_ windows: KeyedWindows, _ model: [KeyHash: [Int64: Int64]], _ keys: [KeyHash]) {
    #expect(windows.keyCount == model.count)
    #expect(windows.generationCount == Set(model.values.flatMap(\.keys)).count)
    for key in keys {
      guard let pieces = model[key] else { continue }
      let newest = pieces.keys.max() ?? 0
      var found: [Int64] = []
      windows.forEachPiece(windows.entry(of: windows.piece(key, number: newest))) {
        found.append(windows.number(of: $0))
      }
      #expect(found == pieces.keys.sorted().reversed())
    }
  }
}
