import Foundation

/// A Kafka that `../shared/kafka/start` runs, in a directory and on ports of its own.
struct KafkaProcess: Sendable {
  let version: String
  let directory: String
  let port: Int
  let securePort: Int

  static let processID = ProcessInfo.processInfo.processIdentifier
  static let external = ProcessInfo.processInfo.environment["KAFKA"].flatMap { $0.isEmpty ? nil : $0 }

  /// `../shared/kafka` beside the package; nil where it is not.
  private static let scripts: URL? = original.map { KafkaFolder.usable($0) }

  private static let original: URL? = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let scripts = root.deletingLastPathComponent().appendingPathComponent("shared/kafka").standardizedFileURL
    let start = scripts.appendingPathComponent("start").path
    return FileManager.default.isExecutableFile(atPath: start) ? scripts : nil
  }()

  /// The versions that can be started, the newest first.
  static let versions: [String] = {
    let found = scripts.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0.path) } ?? []
    return found.filter { $0.first?.isNumber ?? false }.sorted().reversed()
  }()

  /// Everybody may do everything until an ACL says otherwise; who comes without a name (the brokers do) always may.
  private static let authoriser = [
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found=true", "super.users=User:ANONYMOUS",
  ]

  static func start(
    _ name: String, version: String, nodes: Int, settings: [String]
  ) throws(RealKafkaError) -> KafkaProcess {
    guard versions.contains(version) else { throw RealKafkaError(message: "no Kafka \(version) in ../shared/kafka") }
    // Another process may take a port between our look and Kafka's start: then the next ones.
    for _ in 0..<3 {
      let process = KafkaProcess(
        version: version,
        directory: NSTemporaryDirectory() + "/tocsin-kafka-\(processID)-\(name)-\(UInt32.random(in: .min ... .max))",
        port: try freePort(nodes), securePort: try freePort(nodes))
      var arguments = ["--nodes", "\(nodes)", "--version", version, "--secure", "\(process.securePort)"]
      for setting in authoriser + settings { arguments += ["--set", setting] }
      process.stopWithThisProcess()
      if process.run("start", [process.directory, "\(process.port)"] + arguments) == 0 { return process }
      process.remove()
    }
    throw RealKafkaError(message: "Kafka \(version) did not start")
  }

  func startAgain() throws(RealKafkaError) {
    guard run("start", [directory, "\(port)"]) == 0 else {
      throw RealKafkaError(message: "Kafka did not start again in \(directory)")
    }
  }

  func stop(_ options: [String]) throws(RealKafkaError) {
    guard run("stop", [directory] + options) == 0 else {
      throw RealKafkaError(message: "stop \(options.joined(separator: " ")) failed in \(directory)")
    }
  }

  func remove() {
    try? stop(["--kill"])
    try? FileManager.default.removeItem(atPath: directory)
  }

  func tool(_ arguments: [String]) throws(RealKafkaError) {
    guard run("tool", arguments) == 0 else {
      throw RealKafkaError(message: "Kafka's tool \(arguments.joined(separator: " ")) failed")
    }
  }

  /// Stops Kafka and removes its data once this process is gone.
  private func stopWithThisProcess() {
    // The folder of links is gone by then, perhaps.
    let scripts = Self.original?.path ?? ""
    try? ChildProcess.whenThisProcessHasEnded(
      "[ -d '\(directory)' ] && '\(scripts)/stop' '\(directory)' --kill; rm -rf '\(directory)'")
  }

  private func run(_ script: String, _ arguments: [String]) -> Int32 {
    guard let scripts = Self.scripts,
      let process = try? ChildProcess(scripts.appendingPathComponent(script).path, arguments)
    else { return -1 }
    return if case .exit(let code) = process.wait() { code } else { -1 }
  }

  /// A loopback port that is free now with as many after it as there are nodes, and so are their neighbours 100 above
  /// (the controllers').
  private static func freePort(_ nodes: Int) throws(RealKafkaError) -> Int {
    for _ in 0..<50 {
      let port = Int.random(in: 20_000..<32_000)
      if (port..<(port + nodes)).allSatisfy({ isFree($0) && isFree($0 + 100) }) { return port }
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
