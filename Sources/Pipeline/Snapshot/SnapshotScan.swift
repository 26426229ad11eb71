internal import Detection

/// Decides what of a state partition counts, while its records before a marker are looked at from the last to the first: of
/// each key the latest alone, of the marker's series alone. It does no I/O.
public struct SnapshotScan {
  private let partition: PartitionID
  private let series: UInt32
  private var seen = SeenKeys()

  /// A reading that has seen nothing.
  ///
  /// - Parameters:
  ///   - marker: the marker that ends what is read.
  ///   - partition: the state's partition, for messages.
  public init(_ marker: SnapshotMarker, in partition: PartitionID) {
    self.partition = partition
    series = marker.series
  }

  /// Looks at a record that lies before all that were looked at so far.
  public mutating func take(
    offset: Int64, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, into reading: any SnapshotReading
  ) throws(SnapshotFailure) {
    if let key, !seen.insert(key) { return }
    let record = try Self.parse(key, value, in: partition, at: offset)
    guard case .state(let found, let own, let value?) = record else { return }
    guard found == series else {
      if let key { reading.obsolete(key: key) }
      return
    }
    do throws(StateError) {
      try reading.restore(key: own, value: value)
    } catch {
      throw .failed(PipelineFailure(.configuration, "\(partition) at offset \(offset): \(error)"))
    }
  }

  /// Reads a record; one that is damaged or of a newer format ends the process.
  public static func parse(
    _ key: UnsafeRawBufferPointer?, _ value: UnsafeRawBufferPointer?, in partition: PartitionID, at offset: Int64
  ) throws(SnapshotFailure) -> SnapshotCodec.Record {
    do throws(SnapshotError) {
      return try SnapshotCodec.read(key: key, value: value, in: partition, at: offset)
    } catch {
      throw .failed(PipelineFailure(.configuration, "\(error)"))
    }
  }
}
