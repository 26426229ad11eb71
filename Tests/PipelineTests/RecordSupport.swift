import Events

extension RecordBatch {
  /// Copies a record in that is at hand as arrays.
  func append(offset: Int64, timestamp: Int64 = -1, key: [UInt8]?, value: [UInt8]?, headers: [Header] = []) {
    (key ?? []).withUnsafeBytes { keyBytes in
      (value ?? []).withUnsafeBytes { valueBytes in
        Self.encode(headers: headers).withUnsafeBytes {
          append(
            offset: offset, timestamp: timestamp, key: key == nil ? nil : keyBytes,
            value: value == nil ? nil : valueBytes, headers: $0)
        }
      }
    }
  }
}
