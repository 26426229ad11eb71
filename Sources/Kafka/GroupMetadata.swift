import CRdkafka

/// A consumer's place in its group at one moment, as a transaction needs it to commit offsets (`KafkaProducer.sendOffsets`).
///
/// A value: capture it together with the work it stands for. Brokers fence by generation, not by partition, so work of an
/// older assignment must carry the metadata of that time.
public struct GroupMetadata: Sendable, Hashable {
  /// librdkafka's own serialised form, which its reader takes back.
  let bytes: [UInt8]
  /// The group's generation; -1 before the first join, nil where librdkafka's form is not the known one.
  public let generation: Int32?
  /// The member's id; empty before the first join, nil where librdkafka's form is not the known one.
  public let memberID: String?

  /// True where the member had joined: only then may offsets be sent with it.
  public var isMember: Bool { (generation ?? 0) >= 0 }

  init?(_ native: OpaquePointer) {
    var buffer: UnsafeMutableRawPointer?
    var size = 0
    if let error = rd_kafka_consumer_group_metadata_write(native, &buffer, &size) {
      rd_kafka_error_destroy(error)
      return nil
    }
    guard let buffer else { return nil }
    bytes = Array(UnsafeRawBufferPointer(start: buffer, count: size))
    rd_kafka_mem_free(nil, buffer)
    (generation, memberID) = Self.parse(bytes)
  }

  /// `CGMDv2:`, the generation as four bytes of this machine's order, then the group's and the member's names, each
  /// ended by a zero: the form of every librdkafka since 1.6.
  private static func parse(_ bytes: [UInt8]) -> (Int32?, String?) {
    let magic = Array("CGMDv2:".utf8)
    guard bytes.starts(with: magic), bytes.count >= magic.count + 4 else { return (nil, nil) }
    let generation = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: magic.count, as: Int32.self) }
    let names = bytes[(magic.count + 4)...].split(separator: 0, omittingEmptySubsequences: false)
    return (generation, names.count > 1 ? String(decoding: names[1], as: UTF8.self) : nil)
  }

  /// librdkafka's object for `body`.
  func withNative<Result>(_ body: (OpaquePointer) throws(KafkaError) -> Result) throws(KafkaError) -> Result {
    var native: OpaquePointer?
    let error = bytes.withUnsafeBytes { rd_kafka_consumer_group_metadata_read(&native, $0.baseAddress, $0.count) }
    try KafkaError.check(error, "reading a consumer's group metadata")
    defer { rd_kafka_consumer_group_metadata_destroy(native) }
    guard let native else { throw KafkaError(code: .invalidArgument, message: "no group metadata") }
    return try body(native)
  }
}
