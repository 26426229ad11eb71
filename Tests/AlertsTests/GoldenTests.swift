import Alerts
import Events
import Foundation
import Testing

/// Whole alerts, byte for byte. `TOCSIN_REWRITE_GOLDEN=1` writes the files anew; read the difference before it is committed.
struct GoldenTests {
  @Test(arguments: Samples.all.map(\.name))
  func bytesAreThoseOfTheFile(_ name: String) throws {
    let record = try #require(Samples.all.first { $0.name == name }).record
    let bytes = try Self.file(AlertEncoder().encode(record))
    let url = Repository.tests.appending(path: "Golden/\(name).json")
    if ProcessInfo.processInfo.environment["TOCSIN_REWRITE_GOLDEN"] == "1" { try bytes.write(to: url) }
    #expect(try Data(contentsOf: url) == bytes, "\(name) differs: TOCSIN_REWRITE_GOLDEN=1 shows how")
  }

  @Test func everyFileHasAnAlert() throws {
    let files = try FileManager.default.contentsOfDirectory(
      atPath: Repository.tests.appending(path: "Golden").path())
    #expect(files.sorted() == Samples.all.map { "\($0.name).json" }.sorted())
  }

  /// Key and headers as texts, and the body's bytes as they are.
  private static func file(_ alert: EncodedAlert) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    func text(_ bytes: [UInt8]?) throws -> String {
      let text = try #require(String(bytes: bytes ?? [], encoding: .utf8))
      return String(decoding: try encoder.encode(text), as: UTF8.self)
    }
    let headers = try alert.headers.map { "  \(try text(Array($0.name.utf8))): \(try text($0.value))" }
    return Data(
      ("{\n\"kafka_record_key\": \(try text(alert.key)),\n\"kafka_headers\": {\n"
        + headers.joined(separator: ",\n") + "\n},\n\"data\": ").utf8) + Data(alert.body) + Data("\n}\n".utf8)
  }
}
