import CRdkafka

/// The arguments of one record, as librdkafka's array of tagged values; on the stack.
struct ProduceArguments {
  private var values: InlineArray<8, rd_kafka_vu_t> = InlineArray(repeating: rd_kafka_vu_t())
  private var count = 0

  mutating func add(_ type: rd_kafka_vtype_t, _ set: (inout rd_kafka_vu_t.__Unnamed_union_u) -> Void) {
    values[count].vtype = type
    set(&values[count].u)
    count += 1
  }

  /// Bytes, or null. librdkafka copies before it returns, and takes an address of nothing for null.
  mutating func add(_ type: rd_kafka_vtype_t, _ bytes: UnsafeRawBufferPointer?) {
    let somewhere = UnsafeMutableRawPointer(bitPattern: 1)
    add(type) {
      $0.mem.ptr = bytes.map { $0.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) } ?? somewhere } ?? nil
      $0.mem.size = bytes?.count ?? 0
    }
  }

  mutating func produce(_ handle: OpaquePointer) -> OpaquePointer? {
    let count = count
    return withUnsafeMutablePointer(to: &values) {
      $0.withMemoryRebound(to: rd_kafka_vu_t.self, capacity: 8) { rd_kafka_produceva(handle, $0, count) }
    }
  }
}
