public import Detection

/// How far a partition has come, as it is committed: the offset, and beside it in the offset's metadata what a restart needs.
public struct Position: Sendable, Hashable {
  /// The offset of the next record to be read.
  public var offset: Int64
  /// Rises with each pair of the partition, so that one without progress in the offset can be told settled too.
  public var sequence: Int64
  /// From where a restart must read to make windows and episodes again; nil: from `offset`.
  public var replay: ReplayPoint?
  /// The partition's watermark, where others wait for those that lag behind; nil: not said.
  public var watermark: Int64?
  /// Whether the partition has been declared idle.
  public var isIdle = false
  /// The series of snapshots of a history that was given up; nil: there is none.
  public var past: Int64?
  /// Which version of the pipeline is in force where; empty: it is not said.
  public var active: VersionLedger

  /// A position.
  public init(offset: Int64, sequence: Int64, replay: ReplayPoint?, active: VersionLedger = VersionLedger()) {
    self.offset = offset
    self.sequence = sequence
    self.replay = replay
    self.active = active
  }

  /// The metadata: `tocsin1 sequence=N [replay=OFFSET [largest=NANOSECONDS] [floor=NANOSECONDS] [trimmed=1]]
  /// [watermark=NANOSECONDS] [idle=1] [past=SERIES] [active=VERSION@OFFSET,...]`; well under the broker's bound of 4 KB.
  public var metadata: String {
    var text = "tocsin1 sequence=\(sequence)"
    if let replay {
      text += " replay=\(replay.offset)"
      if replay.largest > .min { text += " largest=\(replay.largest)" }
      if replay.floor > .min { text += " floor=\(replay.floor)" }
      if replay.isTrimmed { text += " trimmed=1" }
    }
    if let watermark, watermark > .min { text += " watermark=\(watermark)" }
    if isIdle { text += " idle=1" }
    if let past { text += " past=\(past)" }
    if !active.activations.isEmpty { text += " active=\(active.word)" }
    return text
  }

  /// Reads what was committed. Metadata that is not ours (somebody reset the group by hand) reads as none: sequence 0, and a
  /// restart from the offset itself.
  public init(offset: Int64, metadata: String) {
    self.init(offset: offset, sequence: 0, replay: nil)
    let words = metadata.split(separator: " ")
    guard words.first == "tocsin1" else { return }
    var numbers: [Substring: Int64] = [:]
    var active: VersionLedger? = VersionLedger()
    for word in words.dropFirst() {
      let parts = word.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { return }
      // Words of a later version are left out.
      if parts[0] == "active" { active = VersionLedger(word: parts[1]) } else { numbers[parts[0]] = Int64(parts[1]) }
    }
    guard let active else { return }
    guard let sequence = numbers["sequence"], sequence >= 0 else { return }
    self.sequence = sequence
    watermark = numbers["watermark"]
    isIdle = numbers["idle"] == 1
    past = numbers["past"]
    self.active = active
    guard let replay = numbers["replay"], replay >= 0, replay <= offset else { return }
    self.replay = ReplayPoint(
      offset: replay, largest: numbers["largest"] ?? .min, floor: numbers["floor"] ?? .min,
      isTrimmed: numbers["trimmed"] == 1)
  }

  /// Whether a group that has committed this position has settled a pair that ends at `other`.
  func covers(_ other: Position) -> Bool { (offset, sequence) >= (other.offset, other.sequence) }
}
