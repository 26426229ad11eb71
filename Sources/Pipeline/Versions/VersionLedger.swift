/// Which version of a pipeline is in force where in a partition: activations by the offset of the first record that each is
/// for. It rides in the metadata of the committed offset, so it is bounded.
public struct VersionLedger: Sendable, Hashable {
  /// A version that comes into force.
  public struct Activation: Sendable, Hashable {
    /// The offset of the first record that it is for.
    public var offset: Int64
    /// Which version.
    public var version: VersionID

    /// A version that comes into force.
    public init(offset: Int64, version: VersionID) {
      self.offset = offset
      self.version = version
    }
  }

  /// Most activations that are kept: 32 of them take less than 2 KB of the 4 KB that Kafka takes as metadata. While it is
  /// full no version can come into force; it empties as the offset from which a restart reads moves on.
  public static let limit = 32

  /// The activations by offset, which rises; no two in a row are of one version.
  public private(set) var activations: [Activation] = []

  /// A ledger of which nothing is known.
  public init() {}

  /// The version that came into force last; nil: nothing is known.
  public var latest: VersionID? { activations.last?.version }

  /// Whether no further activation goes in.
  public var isFull: Bool { activations.count >= Self.limit }

  /// The version for the record at an offset; before the first activation, that one's; nil: nothing is known.
  public func version(at offset: Int64) -> VersionID? {
    (activations.last { $0.offset <= offset } ?? activations.first)?.version
  }

  /// The offset after `offset` at which the next version comes into force; nil: none does.
  public func next(after offset: Int64) -> Int64? { activations.first { $0.offset > offset }?.offset }

  /// The versions that are named, each once.
  public var versions: Set<VersionID> { Set(activations.map(\.version)) }

  /// Notes that a version comes into force at an offset, after all others: it takes the place of one that was to come into
  /// force at the same offset. The version in force coming again is no change.
  ///
  /// - Returns: false where the ledger is full: the version in force stays.
  public mutating func activate(_ version: VersionID, at offset: Int64) -> Bool {
    if latest == version { return true }
    while let last = activations.last, last.offset >= offset { activations.removeLast() }
    guard latest != version else { return true }
    guard !isFull else { return false }
    activations.append(Activation(offset: offset, version: version))
    return true
  }

  /// Forgets what no restart needs that reads from `offset` on.
  public mutating func forget(before offset: Int64) {
    guard let first = activations.lastIndex(where: { $0.offset <= offset }), first > 0 else { return }
    activations.removeSubrange(..<first)
  }

  // MARK: As a word

  /// `VERSION@OFFSET,VERSION@OFFSET`: the value of the word `active` in the committed offset's metadata; empty where nothing
  /// is known.
  public var word: String { activations.map { "\($0.version)@\($0.offset)" }.joined(separator: ",") }

  /// Reads a word; nil where it is not well formed, which is never guessed at.
  public init?(word: some StringProtocol) {
    guard !word.isEmpty else { return }
    let parts = word.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= Self.limit else { return nil }
    for part in parts {
      let halves = part.split(separator: "@", omittingEmptySubsequences: false)
      guard halves.count == 2, let version = VersionID(halves[0]), let offset = Int64(halves[1]), offset >= 0,
        String(offset) == halves[1], offset > activations.last?.offset ?? -1, version != latest
      else { return nil }
      activations.append(Activation(offset: offset, version: version))
    }
  }
}
