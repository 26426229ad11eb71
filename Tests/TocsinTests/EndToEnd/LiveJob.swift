import Foundation
import Kafka
import KafkaTestSupport
import Locking
import Testing

/// A pipeline that reads what a test writes as it goes; each record that is written raises one alert.
final class LiveJob: Sendable {
  let kafka: RealKafka
  let topic: String
  private let library: String?
  private let producer: KafkaProducer
  private let written = Lock(0)
  private let isWriting = Lock(false)
  private let writer = DispatchQueue(label: "live.writer")

  private static let partitions = 4
  private static let pipeline = TocsinProcess.repository.appendingPathComponent("Tests/Torture/torture.yaml").path

  init(_ kafka: RealKafka, library: String?) throws {
    self.kafka = kafka
    self.library = library
    topic = try kafka.makeTopic("live", partitions: Self.partitions)
    producer = try KafkaProducer(kafka.configuration.merging(["linger.ms": "1"]))
  }

  /// Starts a process; with `secure`, it logs in as the user `tocsin`.
  func start(_ more: [String] = [], instance: String = "one", isSecure: Bool = false) throws -> TocsinProcess {
    let configuration = isSecure ? try #require(kafka.secureConfiguration()) : kafka.configuration
    var arguments = ["run", Self.pipeline, "--create-topics", "--instance", instance, "--log-format", "text"]
    // What a rebalance and a broker's return wait for.
    for quick in ["heartbeat.interval.ms=500", "reconnect.backoff.max.ms=500"] {
      arguments += ["--set", "librdkafka.\(quick)"]
    }
    for (name, value) in configuration.properties { arguments += ["--set", "librdkafka.\(name)=\(value)"] }
    var environment = ["TORTURE_TOPIC": topic]
    if let library { environment["LD_LIBRARY_PATH"] = library }
    let process = try TocsinProcess(arguments + more, environment: environment)
    #expect(process.waitFor("partitions were assigned"), "\(process.errorText)")
    return process
  }

  // MARK: Writing

  /// Writes one payment, of an account of its own, that is large enough for an alert.
  func write() throws {
    let number = written.withLock { number in
      number += 1
      return number
    }
    let text =
      #"{"ts":\#(1_767_225_600_000 + number),"account":"a\#(number)","merchant":"m\#(number)","cents":900001}"#
    try producer.produce(
      topic: topic, partition: Int32(number % Self.partitions), key: Array("a\(number)".utf8), value: Array(text.utf8))
  }

  /// Writes text that is no payment.
  func write(_ text: String) throws {
    try producer.produce(topic: topic, partition: 0, key: nil, value: Array(text.utf8))
  }

  func write(_ count: Int) throws {
    for _ in 0..<count { try write() }
    try producer.flush(timeoutMilliseconds: 60_000)
  }

  /// Writes on in the background, about 300 a second.
  func beginWriting() {
    isWriting.withLock { $0 = true }
    writer.async { [self] in
      while isWriting.withLock({ $0 }) {
        try? write()
        usleep(3_000)
      }
    }
  }

  func endWriting() throws {
    isWriting.withLock { $0 = false }
    try writer.sync { try producer.flush(timeoutMilliseconds: 60_000) }
  }

  // MARK: What came out

  /// Waits until every payment of the topic has its alert, then compares: none missing, none twice, none else.
  func check(seconds: Int = 60) throws {
    let payments = try Kcat.read(topic, of: kafka.bootstrapServers).filter { $0.value?.contains("900001") ?? false }
    let expected = payments.map { "\($0.partition)/\($0.offset)" }.sorted()
    #expect(!expected.isEmpty)
    var found: [String] = []
    let deadline = ContinuousClock.now + .seconds(seconds)
    repeat {
      found = try Kcat.read("\(topic).alerts", of: kafka.bootstrapServers).map { alert in
        let evidence = (alert.json["evidences"] as? [[String: Any]])?.last?["data"] as? [String: Any]
        return "\(evidence?["partition"] as? Int ?? -1)/\(evidence?["offset"] as? Int ?? -1)"
      }.sorted()
      if found.count >= expected.count { break }
      usleep(200_000)
    } while ContinuousClock.now < deadline
    if found == expected { return }
    let missing = Set(expected).subtracting(found).sorted()
    let counts = Dictionary(found.map { ($0, 1) }, uniquingKeysWith: +)
    let doubled = counts.filter { $0.value > 1 }.keys.sorted()
    Issue.record(
      "\(found.count) alerts, expected \(expected.count); missing \(missing.prefix(5)), doubled \(doubled.prefix(5))")
  }

  /// Ends the writing, waits for the alerts, stops the processes in order, and looks again.
  func finish(_ processes: [TocsinProcess]) throws {
    try endWriting()
    try check()
    for process in processes { process.send(SIGTERM) }
    for process in processes {
      let outcome = process.wait()
      #expect(outcome.status == 0, "\(outcome.errors.suffix(3_000))")
    }
    try check()
  }
}
