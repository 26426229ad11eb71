internal import Foundation
public import Kafka
import Locking

/// A real Apache Kafka for tests.
///
/// - `shared()`: the one that `KAFKA=host:port` names, or one of this test process, started at first use.
/// - `shared(version:)`: the same of a version (`RealKafka.versions`); several stand side by side.
/// - `own(_:)`: one for the calling test alone, to pause, kill, start again and stop.
///
/// They are started by `../shared/kafka/start` beside the package, each on ports and in a directory of its own, and are
/// stopped when the process ends, however it ends. Tests guard themselves by `.enabled(if: RealKafka.isAvailable("name"))`,
/// which names what is skipped. All of ours have a SASL_SSL listener (`secureConfiguration`), and an authoriser that lets
/// everybody do everything until a test takes a right away from the user `tocsin` (`deny`).
public final class RealKafka: Sendable {
  /// The version that is taken where none is asked for.
  public static let newest = "4.3.1"

  /// The versions of Kafka that can be had, the newest first; of one that is not ours, whatever it is.
  public static let versions: [String] = {
    let found = KafkaProcess.external == nil ? KafkaProcess.versions : [newest]
    for line in Combinations.leftOut(of: found) { print(line) }
    return found
  }()

  /// Kafka's version; nil where the Kafka is not ours.
  public let version: String?
  /// What `bootstrap.servers` takes.
  public let bootstrapServers: String
  /// `bootstrap.servers` of the SASL_SSL listener (SCRAM-SHA-512, user `tocsin`, password `alarm-bell`); nil: none.
  public let secureBootstrapServers: String?
  /// The file of the certificate authority of that listener.
  public let certificateAuthority: String?
  private let process: KafkaProcess?

  /// The properties a client needs to find it.
  public var configuration: KafkaConfiguration { ["bootstrap.servers": bootstrapServers] }

  /// The properties of a client that logs in at the SASL_SSL listener; nil where there is none.
  public func secureConfiguration(password: String = "alarm-bell") -> KafkaConfiguration? {
    guard let secureBootstrapServers, let certificateAuthority else { return nil }
    return [
      "bootstrap.servers": secureBootstrapServers, "security.protocol": "SASL_SSL",
      "ssl.ca.location": certificateAuthority, "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "tocsin",
      "sasl.password": password,
    ]
  }

  private init(external: String) {
    version = nil
    bootstrapServers = external
    secureBootstrapServers = nil
    certificateAuthority = nil
    process = nil
  }

  private init(_ process: KafkaProcess) {
    self.process = process
    version = process.version
    bootstrapServers = "127.0.0.1:\(process.port)"
    secureBootstrapServers = "localhost:\(process.securePort)"
    certificateAuthority = process.directory + "/tls/ca.pem"
  }

  // MARK: What there is

  /// Whether there is a real Kafka to test with; where not, says so in one line, for `.enabled(if:)`.
  public static func isAvailable(_ test: String) -> Bool {
    tell(test, KafkaProcess.external != nil || KafkaProcess.versions.contains(newest))
  }

  /// Whether `shared()` is ours, with a listener that asks for a password; where not, says so in one line.
  public static func isSecureAvailable(_ test: String) -> Bool {
    tell(test, KafkaProcess.external == nil && KafkaProcess.versions.contains(newest))
  }

  /// Whether a Kafka of one's own (`own`) can be started; where not, says so in one line.
  public static func isStartable(_ test: String, version: String = newest) -> Bool {
    tell(test, KafkaProcess.versions.contains(version))
  }

  private static func tell(_ test: String, _ isThere: Bool) -> Bool {
    if !isThere { print("SKIPPED (no Kafka): \(test)") }
    return isThere
  }

  // MARK: Starting

  private final class Slot: Sendable {
    let result = Lock<Result<RealKafka, RealKafkaError>?>(nil)
  }

  private static let slots = Lock<[String: Slot]>([:])

  /// The Kafka of this process, of a version; the first caller starts it (some seconds), the others wait.
  public static func shared(version: String = newest) throws -> RealKafka {
    if let external = KafkaProcess.external { return RealKafka(external: external) }
    let slot = slots.withLock { slots in
      let slot = slots[version] ?? Slot()
      slots[version] = slot
      return slot
    }
    return try slot.result.withLock { result in
      let known = result ?? Result { () throws(RealKafkaError) in try own("shared", version: version) }
      result = known
      return try known.get()
    }
  }

  /// One that somebody else runs, and that is not stopped.
  public static func at(_ bootstrapServers: String) -> RealKafka { RealKafka(external: bootstrapServers) }

  /// A Kafka for one test alone, which may stop it or make it hang; call `stop` at the end.
  ///
  /// - Parameters:
  ///   - name: stands in its directory's name.
  ///   - settings: settings of the brokers, as `key=value`.
  public static func own(
    _ name: String, version: String = newest, nodes: Int = 1, settings: [String] = []
  ) throws(RealKafkaError) -> RealKafka {
    RealKafka(try KafkaProcess.start(name, version: version, nodes: nodes, settings: settings))
  }

  // MARK: A broker's life (of our own ones only)

  /// Makes a node (from 1) hang, as a machine does that swaps: it keeps its connections and answers nothing.
  public func pause(node: Int = 1) throws(RealKafkaError) { try mine().stop(["--node", "\(node)", "--pause"]) }

  /// Lets a paused node go on.
  public func resume(node: Int = 1) throws(RealKafkaError) { try mine().stop(["--node", "\(node)", "--resume"]) }

  /// Ends a node at once, as a crash does; its data stays.
  public func kill(node: Int = 1) throws(RealKafkaError) { try mine().stop(["--node", "\(node)", "--kill"]) }

  /// Lets a node shut down in order, which hands its partitions over first; its data stays.
  public func terminate(node: Int = 1) throws(RealKafkaError) { try mine().stop(["--node", "\(node)"]) }

  /// Copies the nodes' logs into a folder, as `node-1.log` and so on, and below `node-1` the segments of the partitions that
  /// are named so.
  public func keepLogs(in folder: String, segmentsOf isKept: (String) -> Bool = { _ in false }) {
    guard let process else { return }
    let files = FileManager.default
    func names(_ folder: String) -> [String] { (try? files.contentsOfDirectory(atPath: folder)) ?? [] }
    for node in names(process.directory) where node.hasPrefix("node-") {
      try? files.copyItem(atPath: "\(process.directory)/\(node)/log", toPath: "\(folder)/\(node).log")
      let data = "\(process.directory)/\(node)/data"
      for partition in names(data) where isKept(partition) {
        let kept = "\(folder)/\(node)/\(partition)"
        try? files.createDirectory(atPath: kept, withIntermediateDirectories: true)
        for segment in names("\(data)/\(partition)") where segment.hasSuffix(".log") {
          try? files.copyItem(atPath: "\(data)/\(partition)/\(segment)", toPath: "\(kept)/\(segment)")
        }
      }
    }
  }

  /// Starts what was killed, on the same data; returns when it serves.
  public func restart() throws(RealKafkaError) { try mine().startAgain() }

  /// Ends it at once and removes its data. One that is shared ends with the process.
  public func stop() { process?.remove() }

  private func mine() throws(RealKafkaError) -> KafkaProcess {
    guard let process else { throw RealKafkaError(message: "this Kafka (KAFKA=...) is not ours") }
    return process
  }

  /// Runs one of Kafka's own tools (`groups`, `topics`, ...) against it. Takes some seconds.
  public func tool(_ name: String, _ arguments: [String]) throws(RealKafkaError) {
    try mine().tool([name, "--bootstrap-server", bootstrapServers] + arguments)
  }

  /// Denies the user `tocsin` an operation (`Write`, `Read`, `Describe`, ...): `resource` is what Kafka's own tool takes,
  /// such as `["--topic", name]`, `["--group", name]`, `["--transactional-id", name]`. Takes some seconds.
  public func deny(_ operation: String, _ resource: [String]) throws(RealKafkaError) {
    try mine().tool(
      [
        "acls", "--bootstrap-server", bootstrapServers, "--add", "--deny-principal", "User:tocsin", "--operation",
        operation,
      ]
        + resource)
  }
}

/// Why there is no Kafka, or why one of its tools failed.
public struct RealKafkaError: Error, Sendable, CustomStringConvertible {
  /// In one line.
  public let message: String

  /// An error with this message.
  public init(message: String) { self.message = message }

  /// The message.
  public var description: String { message }
}

extension RealKafka {
  /// A name that no other test uses: topics, groups and transactional ids are shared by all.
  public static func uniqueName(_ stem: String) -> String {
    "\(stem)-\(UInt32.random(in: .min ... .max))-\(KafkaProcess.processID)"
  }

  /// Makes a topic and returns its unique name.
  public func makeTopic(
    _ stem: String, partitions: Int, configuration: [String: String] = [:]
  ) throws -> String {
    let name = Self.uniqueName(stem)
    let admin = try KafkaAdmin(self.configuration)
    let errors = try admin.createTopics(
      [NewTopic(name, partitions: partitions, configuration: configuration)], timeoutMilliseconds: 20_000)
    for error in errors.values { throw error }
    return name
  }
}
