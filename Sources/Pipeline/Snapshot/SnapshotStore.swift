public import Detection

/// What changed in a partition's state since the cut before, and the marker that ends it.
public struct SnapshotCut: Sendable, Hashable {
  /// The input partition.
  public var partition: PartitionID
  /// What the state is true at.
  public var marker: SnapshotMarker
  /// What changed, by the detector's own keys; of a key that stands twice, the later one counts.
  public var records: [StateRecord]
  /// Whole keys of the state topic that nobody needs any more: of a state that was given up.
  public var obsolete: [[UInt8]]

  /// A cut.
  public init(
    partition: PartitionID, marker: SnapshotMarker, records: [StateRecord], obsolete: [[UInt8]] = []
  ) {
    self.partition = partition
    self.marker = marker
    self.records = records
    self.obsolete = obsolete
  }

  /// Both as one, at the later one's place.
  func followed(by later: SnapshotCut) -> SnapshotCut {
    var both = later
    both.records = records + later.records
    both.obsolete = obsolete + later.obsolete
    both.marker.recordCount += marker.recordCount
    return both
  }
}

/// Where snapshots are kept. Writing and reading may block; they come from queues of their own.
public protocol SnapshotStore: AnyObject, Sendable {
  /// Writes all of a cut, or nothing. To write the same cut again changes nothing.
  ///
  /// - Parameter fence: the assignment under which it was handed out; one that is over is refused as `stale`.
  func write(_ cut: SnapshotCut, fence: Int) throws(SnapshotFailure)
  /// The last markers of input partitions' state; one that has none is left out. It may wait until transactions that others
  /// have left are decided.
  ///
  /// - Parameter isCancelled: asked while it waits; it ends as `cancelled` then.
  func lastMarkers(
    of partitions: [PartitionID], isCancelled: () -> Bool
  ) throws(SnapshotFailure) -> [PartitionID: StoredMarker]
  /// Reads the state that a marker ends: `reading` gets each key once, at its latest, in no order.
  func read(_ partition: PartitionID, upTo marker: StoredMarker, into reading: any SnapshotReading)
    throws(SnapshotFailure)
  /// May be called from any thread: a write under way fails soon as `lost`.
  func abandon()
}

extension SnapshotStore {
  /// The last markers, waited for to the end.
  public func lastMarkers(of partitions: [PartitionID]) throws(SnapshotFailure) -> [PartitionID: StoredMarker] {
    try lastMarkers(of: partitions, isCancelled: { false })
  }
}

/// A marker, and where it stands in the store.
public struct StoredMarker: Sendable, Hashable {
  /// The marker.
  public var marker: SnapshotMarker
  /// Its offset in the state's partition.
  public var place: Int64

  /// A marker at a place.
  public init(_ marker: SnapshotMarker, at place: Int64) {
    self.marker = marker
    self.place = place
  }
}

/// Why a snapshot could not be written or read, as far as it matters for what comes next.
public enum SnapshotFailure: Error, Sendable, Hashable {
  /// It can be tried again.
  case lost(String)
  /// The assignment under which it was made is over.
  case stale
  /// It was not wanted any more.
  case cancelled
  /// The process has to end.
  case failed(PipelineFailure)
}

/// Takes what is read of a partition's state. It is used by one thread.
public protocol SnapshotReading: AnyObject {
  /// Whether reading goes on.
  var isCancelled: Bool { get }
  /// A piece of state, each key once, at its latest; the bytes are on loan.
  func restore(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws(StateError)
  /// A key of the store that holds a piece of a state that was given up.
  func obsolete(key: UnsafeRawBufferPointer)
  /// How far it has come: records looked at, their bytes, and offsets that are left, at most.
  func progress(records: Int64, bytes: Int64, remaining: Int64)
}
