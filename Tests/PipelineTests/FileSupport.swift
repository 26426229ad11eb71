import Configuration
import Foundation
import Testing

@testable import Pipeline

/// Pipeline files for tests.
enum FileSupport {
  /// The repository's directory.
  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static var isRewriting: Bool { ProcessInfo.processInfo.environment["TOCSIN_REWRITE_GOLDEN"] == "1" }

  static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: repository.appendingPathComponent(path)))
  }

  static let fields = """
          ts:     { at: /ts, type: timestamp_ms }
          from:   { at: /from, type: address, entity: wallet }
          to:     { at: /to, type: address, entity: wallet }
          asset:  { at: /asset, type: string }
          amount: { at: /amount, type: decimal(2) }
          n:      { at: /n, type: int }
          memo:   { at: /memo, type: string, optional: true }
          usd:    { type: double, value: "double(amount) * 2.0" }
    """

  static let tables = """
    tables:
      rates:
        load: { file: rates.csv, format: csv }
        key: string
        columns: { usd: double }
    """

  static let source = "    topic: transfers\n    format: json\n    key: from\n    time: { field: ts }"

  static let eventRule = "- { id: large, where: usd > 100, by: from }"

  /// A whole file; what is not given is right.
  static func file(
    head: String = "", source: String = source, fields: String = fields, tables: String = "", rules: String = eventRule,
    outputs: String = "{ alerts: { topic: alerts } }", tail: String = ""
  ) -> String {
    """
    tocsin: 1
    pipeline: test
    \(head)
    sources:
      transfers:
    \(source)
        fields:
    \(fields)
    \(tables)
    rules:
    \(rules.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }.joined(separator: "\n"))
    outputs: \(outputs)
    \(tail)
    """
  }

  static func read(_ text: String, environment: [String: String] = [:]) -> (plan: PipelinePlan?, messages: [String]) {
    let (plan, bag) = PipelineFile.read(bytes: Array(text.utf8), path: "dir/test.yaml", environment: environment)
    let messages = bag.diagnostics.map { diagnostic in
      (diagnostic.severity == .warning ? "warning: " : "") + diagnostic.message
        + (diagnostic.hint.map { " | \($0)" } ?? "")
    }
    return (plan, messages)
  }

  /// The plan of a file that must be right.
  static func plan(_ text: String, environment: [String: String] = [:]) throws -> PipelinePlan {
    let (plan, messages) = read(text, environment: environment)
    #expect(messages.filter { !$0.hasPrefix("warning: nothing") } == [])
    return try #require(plan)
  }

  /// What is said, without hints and without what is never used.
  static func mistakes(_ text: String, environment: [String: String] = [:]) -> [String] {
    let (plan, messages) = read(text, environment: environment)
    let errors = messages.filter { !$0.hasPrefix("warning: ") }
    #expect((plan == nil) == !errors.isEmpty)
    return messages.filter { !$0.hasPrefix("warning: nothing") }.map { message in
      message.firstRange(of: " | ").map { String(message[..<$0.lowerBound]) } ?? message
    }
  }
}
