import Foundation
public import Kafka
import Synchronization

/// A real Apache Kafka for tests: the one that `KAFKA=host:port` names, or one of this test process, started at first use
/// by `../shared/kafka/start` beside the package and stopped when the process ends, however it ends.
public final class RealKafka: Sendable {
  /// What `bootstrap.servers` takes.
  public let bootstrapServers: String
  /// `bootstrap.servers` of the SASL_SSL listener (SCRAM-SHA-512, user `tocsin`, password `alarm-bell`); nil: none.
  public let secureBootstrapServers: String?
  /// The certificate authority of that listener.
  public let certificateAuthority: String?

  /// The properties a client needs to find it.
  public var configuration: KafkaConfiguration { ["bootstrap.servers": bootstrapServers] }

  /// Its folder, where it is ours.
  private let directory: String?

  private init(
    bootstrapServers: String, secure: String? = nil, certificateAuthority: String? = nil, directory: String? = nil
  ) {
    self.bootstrapServers = bootstrapServers
    secureBootstrapServers = secure
    self.certificateAuthority = certificateAuthority
    self.directory = directory
  }

  /// Whether there is a real Kafka to test with; where not, says so in one line, for `.enabled(if:)`.
  public static func isAvailable(_ test: String) -> Bool {
    if external != nil || scripts != nil { return true }
    print("SKIPPED (no Kafka): \(test)")
    return false
  }

  /// Whether the Kafka is ours, with a listener that asks for a password.
  public static func isSecureAvailable(_ test: String) -> Bool {
    if external == nil && scripts != nil { return true }
    print("SKIPPED (no Kafka): \(test)")
    return false
  }

  private static let external = ProcessInfo.processInfo.environment["KAFKA"].flatMap { $0.isEmpty ? nil : $0 }

  /// `../shared/kafka` beside the package; nil where it is not.
  private static let scripts: URL? = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let scripts = root.deletingLastPathComponent().appendingPathComponent("shared/kafka").standardizedFileURL
    let start = scripts.appendingPathComponent("start").path
    return FileManager.default.isExecutableFile(atPath: start) ? KafkaFolder.usable(scripts) : nil
  }()

  private static let started = Mutex<[String: Result<RealKafka, RealKafkaError>]>([:])

  /// The versions of Kafka that can be had; of one that is not ours, whatever it is.
  public static let versions: [String] = {
    guard external == nil, let scripts else { return [newest] }
    let found = (try? FileManager.default.contentsOfDirectory(atPath: scripts.path)) ?? []
    return found.filter { $0.first?.isNumber ?? false }.sorted().reversed()
  }()

  /// The version that is taken where none is asked for.
  public static let newest = "4.3.1"

  /// The Kafka of this process, of a version; the first caller starts it (some seconds), the others wait.
  public static func shared(version: String = newest) throws -> RealKafka {
    try started.withLock { started in
      let result = started[version] ?? Result { () throws(RealKafkaError) in try find(version, "shared-\(version)") }
      started[version] = result
      return try result.get()
    }
  }

  /// Whether a Kafka of one's own can be started; where not, says so in one line.
  public static func isStartable(_ test: String) -> Bool {
    if scripts != nil { return true }
    print("SKIPPED (no Kafka): \(test)")
    return false
  }

  /// A Kafka for one test alone, which may stop it or make it hang; call `stop` at the end.
  public static func own(_ name: String) throws -> RealKafka { try start(newest, name) }

  /// Makes it hang, as a machine does that swaps or a network that is cut.
  public func pause() throws { try control("--pause") }

  /// Lets it go on.
  public func resume() throws { try control("--resume") }

  /// Ends it at once and removes its data.
  public func stop() {
    try? control("--kill")
    if let directory { try? FileManager.default.removeItem(atPath: directory) }
  }

  private func control(_ option: String) throws(RealKafkaError) {
    guard let directory, let scripts = Self.scripts else { throw RealKafkaError(message: "this Kafka is not ours") }
    guard Self.run(scripts.appendingPathComponent("stop").path, [directory, option]) == 0 else {
      throw RealKafkaError(message: "stop \(option) failed")
    }
  }

  private static func find(_ version: String, _ name: String) throws(RealKafkaError) -> RealKafka {
    if let external { return RealKafka(bootstrapServers: external) }
    return try start(version, name)
  }

  private static func start(_ version: String, _ name: String) throws(RealKafkaError) -> RealKafka {
    guard let scripts else { throw RealKafkaError(message: "no Kafka: set KAFKA=host:port") }
    let directory = NSTemporaryDirectory() + "/tocsin-kafka-\(ProcessInfo.processInfo.processIdentifier)-\(name)"
    // Another process may take a port between our look and Kafka's start: then the next one.
    for _ in 0..<3 {
      let port = try freePort()
      let secure = try freePort()
      let start = scripts.appendingPathComponent("start").path
      if run(start, [directory, "\(port)", "--secure", "\(secure)", "--version", version]) == 0 {
        stopWithThisProcess(scripts: scripts, directory: directory)
        return RealKafka(
          bootstrapServers: "127.0.0.1:\(port)", secure: "localhost:\(secure)",
          certificateAuthority: directory + "/tls/ca.pem", directory: directory)
      }
      _ = run(scripts.appendingPathComponent("stop").path, [directory, "--kill"])
      try? FileManager.default.removeItem(atPath: directory)
    }
    throw RealKafkaError(message: "Kafka did not start in \(directory)")
  }

  /// A shell of its own session waits for this process to be gone, then stops Kafka and removes its data.
  private static func stopWithThisProcess(scripts: URL, directory: String) {
    let script = """
      exec 2>/dev/null
      while kill -0 \(ProcessInfo.processInfo.processIdentifier) 2>/dev/null; do sleep 0.3; done
      '\(scripts.path)/stop' '\(directory)' --kill; rm -rf '\(directory)'
      """
    _ = spawn("/usr/bin/setsid", ["/bin/sh", "-c", script])
  }

  /// Runs a program to its end; -1 where it could not be started. What it leaves running keeps nothing of ours open:
  /// Foundation's `Process` would wait for that too.
  private static func run(_ program: String, _ arguments: [String]) -> Int32 {
    guard let process = spawn(program, arguments) else { return -1 }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 { if errno != EINTR { return -1 } }
    return status & 0x7f == 0 ? status >> 8 & 0xff : -1
  }

  /// Starts a program that has no descriptor of ours. Foundation's `Process` learns of a child's end by a socket that
  /// children started at the same time, and theirs, would keep open: Kafka, for as long as the tests run.
  private static func spawn(_ program: String, _ arguments: [String]) -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    for descriptor in (STDERR_FILENO + 1)..<1024 { posix_spawn_file_actions_addclose(&actions, descriptor) }
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var process: pid_t = 0
    return posix_spawn(&process, program, &actions, nil, &words, environ) == 0 ? process : nil
  }

  /// A loopback port that is free now, and whose neighbour 100 above (the controller's) is free too.
  private static func freePort() throws(RealKafkaError) -> Int {
    for _ in 0..<50 {
      let port = Int.random(in: 20_000..<32_000)
      if isFree(port) && isFree(port + 100) { return port }
    }
    throw RealKafkaError(message: "no free port on the loopback address")
  }

  private static func isFree(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}

/// Why there is no Kafka.
public struct RealKafkaError: Error, Sendable, CustomStringConvertible {
  /// In one line.
  public let message: String

  /// The message.
  public var description: String { message }
}

extension RealKafka {
  /// A name that no other test uses: topics, groups and transactional ids are shared by all.
  public static func uniqueName(_ stem: String) -> String {
    "\(stem)-\(UInt32.random(in: .min ... .max))-\(ProcessInfo.processInfo.processIdentifier)"
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
