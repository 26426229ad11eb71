public import Events

/// A record to be written, tagged with the offset of the input record that caused it.
public struct Output: Sendable, Hashable {
  /// Which of the pipeline's topics.
  public enum Destination: String, Sendable, Hashable, CaseIterable {
    case alerts, late, deadLetter
    /// One of the topics of exchanges: `Output.place` says which, and which partition.
    case exchange
  }

  /// A partition of an exchange.
  public struct Place: Sendable, Hashable {
    /// The exchange's number in the topology.
    public var exchange: Int
    /// The partition of its topic.
    public var partition: Int32

    /// A partition of an exchange.
    public init(exchange: Int, partition: Int32) {
      self.exchange = exchange
      self.partition = partition
    }
  }

  /// Which of the pipeline's topics.
  public var destination: Destination
  /// The record's key; nil: null.
  public var key: [UInt8]?
  /// The record's value; nil: null.
  public var value: [UInt8]?
  /// The record's headers.
  public var headers: [RecordBatch.Header]
  /// The offset of the input record that caused it.
  public var cause: Int64
  /// What to write where this can never be written because it is too large.
  public var substitute: Substitute?
  /// Where a block of an exchange goes; nil for all else.
  public var place: Place?

  /// A smaller record in another's place.
  public struct Substitute: Sendable, Hashable {
    /// Its value.
    public var value: [UInt8]?
    /// Its headers.
    public var headers: [RecordBatch.Header]
    /// What is written then besides.
    public var also: [Output]
    /// The event that does not cross an exchange where this takes its block's place; nil: nothing is lost.
    public var lost: Lost?

    /// An event that is too large to cross an exchange.
    public struct Lost: Sendable, Hashable {
      /// Its record's offset in the partition of the source.
      public var offset: Int64
      /// The topic of the exchange.
      public var exchange: String
      /// Bytes of the block that holds nothing else.
      public var blockBytes: Int
    }

    /// A smaller record.
    public init(value: [UInt8]?, headers: [RecordBatch.Header], also: [Output] = [], lost: Lost? = nil) {
      self.value = value
      self.headers = headers
      self.also = also
      self.lost = lost
    }
  }

  /// A record to be written.
  public init(
    _ destination: Destination, key: [UInt8]?, value: [UInt8]?, headers: [RecordBatch.Header], cause: Int64,
    substitute: Substitute? = nil, place: Place? = nil
  ) {
    self.place = place
    self.destination = destination
    self.key = key
    self.value = value
    self.headers = headers
    self.cause = cause
    self.substitute = substitute
  }

  /// Bytes that it takes, about.
  public var byteCount: Int {
    let own =
      (key?.count ?? 0) + (value?.count ?? 0) + headers.reduce(64) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
    guard let substitute else { return own }
    return own + (substitute.value?.count ?? 0) + substitute.also.reduce(0) { $0 + $1.byteCount }
  }

  /// What takes this one's place; empty: nothing does, and it is given up.
  func substituted() -> [Output] {
    guard let substitute else { return [] }
    let smaller = Output(
      destination, key: key, value: substitute.value, headers: substitute.headers, cause: cause, place: place)
    return [smaller] + substitute.also
  }
}

/// How far a partition has come, and all that was to be written for it since the pair before. It is settled as a whole.
public struct Pair: Sendable, Hashable {
  /// Whose.
  public var partition: PartitionID
  /// How far it has come.
  public var position: Position
  /// What came of it.
  public var outputs: [Output]

  /// A pair.
  public init(partition: PartitionID, position: Position, outputs: [Output]) {
    self.partition = partition
    self.position = position
    self.outputs = outputs
  }

  /// Takes in the pair that follows it.
  mutating func append(_ later: Pair) {
    position = later.position
    outputs.append(contentsOf: later.outputs)
  }
}

/// What is committed together.
public struct Transaction: Sendable, Hashable {
  /// At most one pair of a partition.
  public var pairs: [Pair]

  /// Whole pairs.
  public init(pairs: [Pair]) { self.pairs = pairs }
}
