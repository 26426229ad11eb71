import Testing

@testable import Events

@Suite struct AddressNormaliserTests {
  @Test(arguments: [
    ("0x098B716B8Aaf21512996dC57EB0615e2383E2f96", "0x098b716b8aaf21512996dc57eb0615e2383e2f96"),
    ("0X098B716B8AAF21512996DC57EB0615E2383E2F96", "0x098b716b8aaf21512996dc57eb0615e2383e2f96"),
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ("LTC1QZVCGMNTGLCUV4SMV3LZJ6K8SZCVSRMVK0PHRR9", "ltc1qzvcgmntglcuv4smv3lzj6k8szcvsrmvk0phrr9"),
  ])
  func lowersFamiliesThatIgnoreCase(_ written: String, _ normalised: String) {
    #expect(AddressNormaliser.normalise(written) == normalised)
    #expect(AddressNormaliser.normalise(normalised) == normalised)
  }

  @Test(arguments: [
    "", "0x", "0xABC", "0x098B716B8Aaf21512996dC57EB0615e2383E2fZZ", "12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h",
    "TFdTr9C3BqQrzKBXqSxJfAZFTh8UwBAfSg", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "BC1QW508d6qejx", "BC1",
    "BC1OOOOOOOOOO", "XYZ1QQQQQQQQQQ", "BCX1QQQQQQQQQQ",
  ])
  func leavesTheRest(_ address: String) {
    #expect(AddressNormaliser.normalise(address) == address)
    var bytes = Array(address.utf8)
    #expect(!bytes.withUnsafeMutableBufferPointer { AddressNormaliser.needsChange(UnsafeBufferPointer($0)) })
  }

  @Test(
    arguments: [
      (TextForm.plain, "2001:DB8::1", "2001:DB8::1"), (.ip, "2001:DB8:0:0::1", "2001:db8::1"),
      (.ip, "10.0.0.1", "10.0.0.1"),
      (.ip, "localhost", nil), (.ip, "", nil), (.ip, "fe80::1%eth0", nil), (.address, "any text", "any text"),
      (.address, "0x098B716B8Aaf21512996dC57EB0615e2383E2f96", "0x098b716b8aaf21512996dc57eb0615e2383e2f96"),
    ] as [(TextForm, String, String?)])
  func textsHaveTheFormOfTheirKind(_ form: TextForm, _ written: String, _ held: String?) {
    #expect(form.normalised(written) == held)
  }

  @Test func fieldTypesSayTheForm() {
    #expect(FieldType.address.textForm == .address && FieldType.list(.ip).textForm == .ip)
    #expect(FieldType.string.textForm == .plain && FieldType.int.textForm == .plain)
  }
}
