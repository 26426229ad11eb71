import Configuration
import Events
import Foundation
import Tables
import Telemetry
import Testing

@testable import Pipeline

/// A listed address is found in whatever way an event brings it, and however the rule asks.
@Suite struct AddressTests {
  private static let file = """
    tocsin: 1
    pipeline: test
    sources:
      transfers:
        topic: transfers
        format: json
        key: id
        time: { field: ts }
        fields:
          ts:    { at: /ts, type: timestamp_ms }
          id:    { at: $key, type: string }
          text:  { at: /text, type: string }
          list:  { at: /list, type: list(string) }
          made:  { type: address, value: text }
          plain: { type: string, value: text }
          host:  { type: ip, value: "text.startsWith('0x') ? '10.0.0.1' : text" }
    tables:
      bad:
        load: { file: bad.txt, format: text }
        key: address
        kind: watchlist
    rules:
      - { id: text, where: text in bad }
      - { id: made, where: made in bad }
      - { id: plain, where: plain in bad }
      - { id: element, where: "list.exists(x, x in bad)" }
      - { id: choice, where: "(size(list) > 0 ? list[0] : text) in bad" }
      - { id: literal, where: "made == '0x7F367cC41522cE07553e823bf3be79A889DEbe1B'" }
      - { id: held, where: "string(made) == '0x7f367cc41522ce07553e823bf3be79a889debe1b'" }
    outputs:
      alerts:      { topic: alerts, source: //test/tocsin }
      dead_letter: { topic: dead }
    """

  @Test func aListedAddressInMixedCaseIsAlwaysFound() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let written = "0x7F367cC41522cE07553e823bf3be79A889DEbe1B"
    try "\(written)\n".write(to: folder.appendingPathComponent("bad.txt"), atomically: true, encoding: .utf8)
    let read = PipelineFile.read(
      bytes: Array(Self.file.utf8), path: folder.appendingPathComponent("test.yaml").path, environment: [:])
    let plan = try #require(read.plan, "\(read.diagnostics.rendered())")
    let task = PartitionTask(
      plan: plan, tables: try plan.tables.map { try TableLoader.load($0) }, partition: PartitionID("transfers", 0),
      start: PartitionTask.Start(offset: 0, committed: 0), productVersion: "0", registry: MetricsRegistry())
    for (offset, text) in [written, "no host"].enumerated() {
      let value = "{\"ts\":1767225600000,\"text\":\"\(text)\",\"list\":[\"\(text)\"]}"
      task.records.append(offset: Int64(offset), key: [UInt8(ascii: "k")], value: Array(value.utf8))
    }
    let outputs = try #require(task.process(now: 0)).outputs
    let alerts = outputs.filter { $0.destination == .alerts }.map { String(decoding: $0.value ?? [], as: UTF8.self) }
    #expect(alerts.count == plan.rules.count)
    // Where the rule asks for a field, the alert tells the entry, and that the key is an address.
    for rule in ["text", "made", "plain"] {
      let alert = try #require(alerts.first { $0.contains("\"uid\":\"test/\(rule)\"") })
      #expect(alert.contains("\"value\":\"\(written.lowercased())\",\"type\":\"watchlist\""), "\(alert)")
      #expect(alert.contains("\"chain\":\"ethereum\""), "\(alert)")
    }
    // What is no address has no value in a field of type `ip`.
    let dead = outputs.filter { $0.destination == .deadLetter }
    #expect(dead.map(\.cause) == [1])
    #expect(dead[0].headers.contains { $0.name == "tocsin-reason" && $0.value == Array("derived_field_failed".utf8) })
  }
}
