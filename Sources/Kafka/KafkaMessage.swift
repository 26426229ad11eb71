import CRdkafka
import Glibc

/// A record on loan from librdkafka: everything it points to is gone when the closure that got it returns.
public struct KafkaMessage: ~Copyable {
  /// The record's offset.
  public let offset: Int64
  /// The key's bytes; nil where the key is null.
  public let key: UnsafeRawBufferPointer?
  /// The value's bytes; nil where the value is null.
  public let value: UnsafeRawBufferPointer?
  private let native: UnsafeMutablePointer<rd_kafka_message_t>

  init(_ native: UnsafeMutablePointer<rd_kafka_message_t>) {
    self.native = native
    offset = native.pointee.offset
    key = Self.bytes(native.pointee.key, native.pointee.key_len)
    value = Self.bytes(native.pointee.payload, native.pointee.len)
  }

  /// Null and empty differ: librdkafka points somewhere for an empty one.
  private static func bytes(_ start: UnsafeMutableRawPointer?, _ count: Int) -> UnsafeRawBufferPointer? {
    start.map { UnsafeRawBufferPointer(start: $0, count: count) }
  }

  /// The broker's or producer's timestamp in milliseconds since 1970; -1 where the record has none.
  public var timestamp: Int64 { rd_kafka_message_timestamp(native, nil) }

  /// Calls `body` with each header's name and bytes (nil: null), in the record's order. They are decoded at the first
  /// call only, so a reader that never asks never pays.
  public func forEachHeader(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer?) -> Void) {
    var headers: OpaquePointer?
    guard rd_kafka_message_headers(native, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR, let headers else { return }
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var size = 0
    var index = 0
    while rd_kafka_header_get_all(headers, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR, let name {
      body(
        UnsafeRawBufferPointer(start: name, count: strlen(name)),
        value.map { UnsafeRawBufferPointer(start: $0, count: size) })
      index += 1
    }
  }

  /// The headers, copied.
  public var headers: [KafkaHeader] {
    var headers: [KafkaHeader] = []
    forEachHeader { name, value in
      headers.append(KafkaHeader(String(decoding: name, as: UTF8.self), value.map { Array($0) }))
    }
    return headers
  }
}
