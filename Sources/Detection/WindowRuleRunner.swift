internal import Events
internal import Expressions

/// Runs a rule about windows of events.
///
/// A batch goes through in segments, between which state that the watermark has passed is dropped. In each: the pieces of
/// time that the rows belong to are found or made; each aggregate goes over all rows; `let`s and conditions are computed as
/// columns; and then, row by row, episodes hear what holds.
final class WindowRuleRunner: RuleRunner {
  private let window: WindowPlan
  private let grid: WindowGrid
  private let kernels: [AggregateKernel]
  private let lets: [ColumnEvaluator]
  private let conditions: [ColumnEvaluator]
  private let letTexts: [String: String]
  private(set) var windows: KeyedWindows
  private let cells: AggregateCells
  private let stateLimit: Int
  private let segmentRows: Selection
  private let firing: Selection
  private let scratch: Selection
  private let pieces: UnsafeMutablePointer<UnsafeMutablePointer<WindowPiece>>
  private let ranges: UnsafeMutablePointer<WindowGrid.Range>
  private var batch: EventBatch?
  /// By row, the place in the segment at hand.
  private let places: UnsafeMutablePointer<Int32>
  private var prefetched: UInt64 = 0
  private var primed = false
  /// More than one event of the batch at hand can add to the state, in bytes.
  private var growthLimit = 0

  init(
    _ plan: RulePlan, _ window: WindowPlan, number: Int, schema: Schema, capacity: Int, seed: HashSeed,
    episodeLimit: Int, stateLimit: Int
  ) {
    self.window = window
    self.stateLimit = stateLimit
    grid = WindowGrid(window.span)
    let spansPieces = grid.trailing > 0
    kernels = window.aggregates.map { AggregateKernel.make($0, spansPieces: spansPieces, capacity: capacity) }
    lets = window.lets.map { $0.program.evaluator(capacity: capacity) }
    conditions = window.conditions.map { $0.evaluator(capacity: capacity) }
    letTexts = Dictionary(window.lets.map { ($0.name, $0.program.text) }) { first, _ in first }
    segmentRows = Selection(capacity: capacity)
    firing = Selection(capacity: capacity)
    scratch = Selection(capacity: capacity)
    pieces = .allocate(capacity: max(capacity, 1))
    ranges = .allocate(capacity: max(capacity, 1))
    places = .allocate(capacity: max(capacity, 1))
    cells = AggregateCells(kernels)
    windows = KeyedWindows(grid: grid, entryCells: cells.entrySize, pieceCells: cells.pieceSize, cells: cells)
    super.init(
      plan, number: number, schema: schema, capacity: capacity, seed: seed, explained: window.conditions,
      episodeLimit: episodeLimit)
  }

  deinit {
    pieces.deallocate()
    ranges.deallocate()
    places.deallocate()
  }

  override var stateByteCount: Int { windows.byteCount }
  override var keyCount: Int { windows.keyCount }

  override var isPrimed: Bool {
    get { primed }
    set { primed = newValue }
  }

  // MARK: A batch

  override func run(_ context: BatchContext) {
    let batch = context.batch
    self.batch = batch
    var columns = batch.columns
    columns += window.lets.map { _ in batch.columns[schema.timeField] }
    columns += kernels.map(\.output.column)
    frame = Frame(count: batch.count, columns: columns, tables: context.tables)
    let before = episodes.findings.count
    if !isPrimed { isPrimed = floor == .min }
    select(context.onTime, batch)
    if selected.count > 0 {
      for kernel in kernels { kernel.prepare(frame, rows: selected) }
      growthLimit = kernels.reduce(16_384) { $0 + $1.growthLimit }
      prefetched &+= windows.prefetch(hashes, selected.rows, selected.count)
      var next = 0
      while next < selected.count { next = runSegment(from: next, context) }
    }
    if windows.nextExpiry <= context.watermark { windows.expire(watermark: context.watermark) }
    if !isPrimed, context.watermark > .min { isPrimed = grid.start(grid.range(context.watermark).low) > floor }
    if episodes.nextDeadline <= context.watermark, batch.count > 0 {
      episodes.advance(watermark: context.watermark, cause: context.cause)
    }
    noteFindings(episodes.findings[before...])
  }

  /// Works on the rows from one place on, as far as nothing has to be dropped; returns where the next segment begins.
  private func runSegment(from start: Int, _ context: BatchContext) -> Int {
    let batch = context.batch
    makeRoom(context.watermarks[Int(selected.rows[start])])
    let next = resolve(from: start, context)
    guard segmentRows.count > 0 else { return next }
    let segment = WindowSegment(
      rows: segmentRows, pieces: pieces, ranges: ranges, members: context.members, batch: batch, windows: windows)
    if grid.trailing > 0 { context.members.fill(segment) }
    for kernel in kernels { kernel.run(segment) }
    for (place, evaluator) in lets.enumerated() {
      frame.columns[window.firstLetSlot + place] = evaluator.evaluate(frame, rows: segmentRows)
    }
    evaluateConditions(context)
    tellEpisodes(context)
    return next
  }

  /// Drops what the watermark has passed, and of what is left the oldest while there is more than the bound.
  private func makeRoom(_ watermark: Int64) {
    windows.expire(watermark: watermark)
    while windows.byteCount > stateLimit, windows.generationCount > 1 {
      windows.dropOldestGeneration()
      noteEvicted()
    }
  }

  /// Finds the pieces of the rows from `start` on; stops before a row for which something has to be dropped first. Near the
  /// bound it goes row by row, so that it shows at the same event however batches are cut.
  private func resolve(from start: Int, _ context: BatchContext) -> Int {
    let rows = selected.rows
    let times = context.batch.times
    let windows = windows
    let isNearLimit = windows.byteCount + (selected.count - start) * growthLimit > stateLimit
    let end = isNearLimit ? start + 1 : selected.count
    let isFull = isNearLimit && windows.byteCount > stateLimit
    segmentRows.removeAll()
    var index = start
    while index < end {
      let row = Int(rows[index])
      if index > start, windows.nextExpiry <= context.watermarks[row] { break }
      index += 1
      let range = grid.range(times[row])
      guard !isFull || windows.has(hashes[row], number: range.high) else {
        noteRefused()
        continue
      }
      let place = segmentRows.count
      places[row] = Int32(truncatingIfNeeded: place)
      pieces[place] = windows.piece(hashes[row], number: range.high)
      ranges[place] = range
      segmentRows.append(rows[index - 1])
    }
    return index
  }

  /// Leaves in `firing` the rows of the segment at which all conditions hold.
  private func evaluateConditions(_ context: BatchContext) {
    firing.removeAll()
    for index in 0..<segmentRows.count where isPrimed || grid.start(ranges[index].low) > floor {
      firing.append(segmentRows.rows[index])
    }
    for condition in conditions where firing.count > 0 {
      scratch.rows.update(from: firing.rows, count: firing.count)
      scratch.count = firing.count
      noteErrors(condition.filter(frame, rows: scratch, into: firing))
    }
  }

  private func tellEpisodes(_ context: BatchContext) {
    let keepsEvidence = plan.evidenceLimit > 1
    let windows = windows
    let episodes: EpisodeTable = episodes
    let times = context.batch.times
    let rows = segmentRows.rows
    var nextFiring = 0
    for index in 0..<segmentRows.count {
      let row = Int(rows[index])
      let piece = pieces[index]
      piece.pointee.eventCount += 1
      if times[row] < piece.pointee.firstTime { piece.pointee.firstTime = times[row] }
      let holds = nextFiring < firing.count && firing.rows[nextFiring] == rows[index]
      if holds { nextFiring += 1 }
      if holds || episodes.mayHave(hashes[row]) || episodes.nextDeadline <= context.watermarks[row] {
        tellEpisode(index, row, holds, episodes, context)
      }
      if keepsEvidence {
        windows.evidence.append(context.batch, row: row, to: windows.entry(of: piece), limit: plan.evidenceLimit - 1)
        windows.noteEvidence(piece.pointee.entry)
      }
    }
  }

  private func tellEpisode(
    _ index: Int, _ row: Int, _ holds: Bool, _ episodes: EpisodeTable, _ context: BatchContext
  ) {
    let watermark = context.watermarks[row]
    if episodes.nextDeadline <= watermark { episodes.advance(watermark: watermark, cause: context.cause) }
    let point = context.point(row)
    let key = EpisodeKey(hash: hashes[row], window: grid.trailing == 0 ? ranges[index].high : 0)
    if holds {
      episodes.holds(
        key, point,
        emptyAt: EventClock.saturated(grid.lasting(point.time, ranges[index]), plus: plan.keepFiring))
    } else {
      episodes.doesNotHold(key, point)
    }
  }

  // MARK: Telling

  override func telling(_ point: EventPoint) -> Telling {
    let place = Int(places[point.row])
    let range = ranges[place]
    let bounds = grid.bounds(point.time, range)
    var eventCount: Int64 = 0
    var firstSeen = point.time
    // A piece that a later row of the segment made holds nothing yet.
    windows.forEachPiece(beside: pieces[place], in: range) { piece in
      eventCount += piece.pointee.eventCount
      firstSeen = min(firstSeen, piece.pointee.firstTime)
    }
    return Telling(
      key: key(point), severity: severity(point), message: plan.message.render(frame, row: point.row),
      observations: observations(point, of: letTexts), values: values(point), window: bounds, hits: hits(point),
      evidence: evidence(point, place, bounds), eventCount: eventCount, firstSeen: firstSeen)
  }

  private func values(_ point: EventPoint) -> [Finding.NamedValue] {
    window.lets.enumerated().map { place, plan in
      Finding.NamedValue(name: plan.name, value: frame.columns[window.firstLetSlot + place].scalar(point.row))
    }
  }

  override func refresh(_ values: inout [Finding.NamedValue], _ point: EventPoint) {
    for place in values.indices {
      values[place].value = frame.columns[window.firstLetSlot + place].scalar(point.row)
    }
  }

  private func evidence(_ point: EventPoint, _ place: Int, _ bounds: Finding.TimeRange) -> [Evidence] {
    guard let batch else { return [] }
    let cause = Evidence(batch, row: point.row, slots: causeSlots)
    guard plan.evidenceLimit > 1 else { return [cause] }
    let range = ranges[place]
    let earlier = windows.evidence.events(of: windows.entry(of: pieces[place])) { time in
      // What the window counted, and nothing from before the span that the alert names.
      let number = grid.range(time).high
      return number >= range.low && number <= range.high && time >= bounds.start
    }
    return earlier + [cause]
  }

  // MARK: State

  override var changeCount: Int { super.changeCount + windows.changeCount }

  override func cut(into cutter: inout StateCutter, _ codec: EpisodeCodec, _ tables: [any ReferenceTable]) {
    windows.cut(into: &cutter, cells)
    super.cut(into: &cutter, codec, tables)
  }

  override func cutRemoval(into cutter: inout StateCutter) {
    windows.cutRemoval(into: &cutter)
    super.cutRemoval(into: &cutter)
  }

  override func restore(
    _ key: StateKey, _ value: UnsafeRawBufferPointer?, _ codec: EpisodeCodec
  ) throws(DamagedBytes) {
    switch key.kind {
    case .piece: try windows.restorePiece(key.hash, key.number, value, cells)
    case .evidence: try windows.restoreEvidence(key.hash, value, limit: max(0, plan.evidenceLimit - 1))
    case .episode: try super.restore(key, value, codec)
    }
  }

  override func finishRestore(watermark: Int64, _ outcome: inout RestoreOutcome) {
    outcome.expired += windows.finishRestore(watermark: watermark)
    outcome.keys += windows.keyCount
    outcome.pieces += windows.pieceCount
    super.finishRestore(watermark: watermark, &outcome)
  }

  override func adopt(_ old: RuleRunner, from oldCodec: EpisodeCodec, to codec: EpisodeCodec) -> Bool {
    guard let old = old as? WindowRuleRunner, old.window.span == window.span, cells.areLike(old.cells) else {
      return false
    }
    let empty = windows
    windows = old.windows
    windows.cells = cells
    cells.adopt(old.cells)
    old.windows = empty
    empty.cells = old.cells
    windows.trimEvidence(limit: max(0, plan.evidenceLimit - 1), from: max(0, old.plan.evidenceLimit - 1))
    return super.adopt(old, from: oldCodec, to: codec)
  }

  override func replayNeed(watermark: Int64) -> ReplayNeed {
    var time = grid.start(grid.range(watermark).low)
    if let oldest = episodes.oldest { time = min(time, grid.start(grid.range(oldest.time).low)) }
    return ReplayNeed(offset: .max, time: EventClock.saturated(time, minus: 1))
  }
}
