import Foundation
import Telemetry
import Testing

@testable import Pipeline

/// What a reload looks at.
@Suite struct ReloaderTests {
  /// A file that is changed is checked like one that is started with: what librdkafka refuses, a reload refuses.
  @Test(arguments: [true, false]) func propertiesAreChecked(_ isRefusing: Bool) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString).yaml").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let text = FileSupport.file(tail: "librdkafka: { odd: 1 }")
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    let running = try VersionLoader.load(path: path, environment: [:])
    let check = PropertyCheck(
      faults: { properties in
        properties.keys.filter { _ in isRefusing }.map {
          PropertyCheck.Fault(property: $0, isUnknown: true, answer: "no such thing")
        }
      }, names: { [] })
    let registry = MetricsRegistry()
    let reloader = Reloader(
      path: path, running: running.version, environment: [:], properties: check, registry: registry,
      publish: { _ in }, accept: { _ in })
    try (text + "\n# why\n").write(toFile: path, atomically: true, encoding: .utf8)
    reloader.reload()
    reloader.wait()
    for (outcome, isRight) in [("refused", isRefusing), ("accepted", !isRefusing)] {
      #expect(registry.total(PipelineMetrics.reloads, where: ["outcome": outcome]) == (isRight ? 1 : 0))
    }
  }
}
