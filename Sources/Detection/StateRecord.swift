internal import Events

/// One entry of a partition's stored state: a key and its latest value.
///
/// A key is the rule's identity (16 bytes), what is kept (one byte: `w` a piece of a window, `e` the evidence of a key, `a` an
/// alert's episode), the key's hash (16 bytes), and for `w` and `a` a number (8 bytes: of the piece of time; of the window of
/// the episode, or 0). Values are little-endian; whole numbers that are mostly small are LEB128, zigzag where they may be
/// negative. They carry no version and no checksum: whoever stores them adds both.
public struct StateRecord: Sendable, Hashable {
  /// What it is about.
  public var key: [UInt8]
  /// How that stands; nil: it is no more.
  public var value: [UInt8]?

  /// A key and its latest value; nil: it is no more.
  public init(key: [UInt8], value: [UInt8]?) {
    self.key = key
    self.value = value
  }
}

/// What changed in a partition's state between two batches: the header as it is now, and the records that are new, changed
/// or gone since the cut before. The first cut of a detector holds everything.
public struct StateCut: Sendable {
  /// What has no key: event time, and how each rule stands.
  public var header: [UInt8]
  /// In order: a later record of the same key replaces an earlier one.
  public var records: [StateRecord]

  /// A header and the records that changed.
  public init(header: [UInt8], records: [StateRecord]) {
    self.header = header
    self.records = records
  }
}

/// What became of stored state that was read back.
public struct RestoreOutcome: Sendable, Hashable {
  /// Keys with window state.
  public var keys = 0
  /// Pieces of windows, of all keys.
  public var pieces = 0
  /// Episodes, pending ones included.
  public var episodes = 0
  /// Pieces that were stored, but that the watermark has passed.
  public var expired = 0
  /// Rules that are no longer there, and rules whose identity changed: their state was left out.
  public var dropped: [DroppedRule] = []
  /// Numbers of the rules of which nothing was stored: they begin anew, and hold still until their windows lie wholly
  /// after the stored state.
  public var startedAnew: [Int] = []
  /// Tombstones that the next cut brings for what was left out.
  public var tombstones = 0

  /// State of a rule that is no longer there.
  public struct DroppedRule: Sendable, Hashable {
    /// The rule's identity.
    public var identity: [UInt8]
    /// How many records it had.
    public var records: Int
  }

  /// Nothing was read.
  public init() {}
}

/// Stored state that can't be read: it was damaged, or another version wrote it.
public struct StateError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What can't be read: `header`, `key`, or a rule's id.
  public var place: String
  /// What is wrong with it.
  public var problem: String

  init(_ damaged: DamagedBytes, in place: String) {
    self.place = place
    problem = damaged.problem
  }

  /// What is wrong, and what to do.
  public var description: String {
    "stored state is damaged (\(place): \(problem)); "
      + "delete the state topic's partition to begin without it, or run the version that wrote it"
  }
}
