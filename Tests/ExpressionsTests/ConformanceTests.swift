import Foundation
import Testing

@testable import Expressions

/// The tests of the CEL specification (google/cel-spec, tests/simple) that need no protobuf messages.
@Suite struct ConformanceTests {
  enum Outcome: Equatable { case passed, unsupported, wrong(String) }

  static let file: URL? = {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = package.appending(path: "../shared/data/cel/conformance.jsonl")
    return FileManager.default.fileExists(atPath: file.path) ? file : nil
  }()

  @Test(.enabled(if: file != nil, "the conformance file is not here"))
  func theSpecificationsTestsPassAndNoneGivesAWrongValue() throws {
    let text = try String(contentsOf: #require(Self.file), encoding: .utf8)
    var passed = 0
    var unsupported: [String: Int] = [:]
    var wrong: [String] = []
    for line in text.split(separator: "\n") {
      let test = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      let name = "\(test["file"] ?? "")/\(test["section"] ?? "")/\(test["name"] ?? "")"
      switch try Self.run(test) {
      case .passed: passed += 1
      case .unsupported: unsupported["\(test["file"] ?? "")", default: 0] += 1
      case .wrong(let found):
        wrong.append("\(name): \(test["expr"] ?? ""): \(found), not \(test["value"] ?? test["error"] ?? "")")
      }
    }
    print(
      "CEL conformance: \(passed) passed, \(unsupported.values.reduce(0, +)) not supported \(unsupported), \(wrong.count) wrong"
    )
    #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    #expect(passed >= 700)
  }

  private static func run(_ test: [String: Any]) throws -> Outcome {
    let source = try #require(test["expr"] as? String)
    var environment = Environment()
    environment.container = test["container"] as? String ?? ""
    for (name, value) in test["bindings"] as? [String: Any] ?? [:] {
      environment.bindings[name] = try Self.value(value)
    }
    let expected = try test["value"].map { try Self.value($0) }
    let node: Node
    do {
      let syntax = try Parser.parse(source, fieldNames: Set(environment.bindings.keys))
      var checker = Checker(environment, isStrict: test["disable_check"] as? Bool != true)
      node = try checker.check(syntax)
    } catch {
      if ProcessInfo.processInfo.environment["CEL_TRACE"] != nil { print("NOT SUPPORTED", source, error) }
      return expected == nil ? .passed : .unsupported
    }
    var interpreter = Interpreter(frame: nil, row: 0)
    do {
      let found = try interpreter.evaluate(node)
      guard let expected else { return .wrong("\(found)") }
      return same(found, expected) ? .passed : .wrong("\(found)")
    } catch {
      return expected == nil ? .passed : .wrong("error: \(error)")
    }
  }

  /// Equal, of the same type; NaN is NaN.
  private static func same(_ found: Value, _ expected: Value) -> Bool {
    switch (found, expected) {
    case (.double(let a), .double(let b)): return a == b && a.sign == b.sign || a.isNaN && b.isNaN
    case (.list(let a), .list(let b)): return a.count == b.count && zip(a, b).allSatisfy { same($0, $1) }
    case (.map(let a), .map(let b)):
      return a.count == b.count
        && a.allSatisfy { entry in b.contains { same($0.key, entry.key) && same($0.value, entry.value) } }
    default: return found.typeName == expected.typeName && Equality.areEqual(found, expected)
    }
  }

  private static func value(_ json: Any) throws -> Value {
    let object = try #require(json as? [String: Any])
    let (type, value) = try #require(object.first)
    let text = value as? String ?? ""
    switch type {
    case "null": return .null
    case "bool": return .bool(try #require(value as? Bool))
    case "int": return .int(try #require(Int64(text)))
    case "uint": return .uint(try #require(UInt64(text)))
    case "double": return .double(try double(value))
    case "string": return .string(text)
    case "bytes":
      let digits = Array(text)
      return .bytes(
        try stride(from: 0, to: digits.count, by: 2).map {
          try #require(UInt8(String(digits[$0...($0 + 1)]), radix: 16))
        })
    case "list": return .list(try #require(value as? [Any]).map { try Self.value($0) })
    case "map":
      return .map(
        try #require(value as? [[Any]]).map { (key: try Self.value($0[0]), value: try Self.value($0[1])) })
    case "timestamp": return .timestamp(try nanoseconds(value))
    case "duration": return .duration(try nanoseconds(value))
    case "type": return .type(text)
    default: throw CocoaError(.coderReadCorrupt)
    }
  }

  private static func double(_ value: Any) throws -> Double {
    guard let text = value as? String else { return try #require(value as? Double) }
    switch text.lowercased() {
    case "nan": return .nan
    case "infinity", "inf": return .infinity
    case "-infinity", "-inf": return -.infinity
    default: return try #require(Double(text))
    }
  }

  private static func nanoseconds(_ value: Any) throws -> Int128 {
    let object = try #require(value as? [String: Any])
    func number(_ name: String) -> Int128 {
      if let text = object[name] as? String { return Int128(text) ?? 0 }
      return Int128(object[name] as? Int ?? 0)
    }
    return number("seconds") * 1_000_000_000 + number("nanos")
  }
}
