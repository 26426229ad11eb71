import Foundation
import Locking
import Testing

/// The program as a person starts it: the binary that was built beside these tests.
final class TocsinProcess: Sendable {
  /// What ended it and what it wrote.
  struct Outcome: Sendable {
    var status: Int32
    var output: String
    var errors: String
  }

  private let process = Process()
  private let output: Capture
  private let errors: Capture

  /// What comes out of a pipe.
  private final class Capture: Sendable {
    private let text = Lock(Data())
    private let done = DispatchSemaphore(value: 0)
    let pipe = Pipe()

    init() {
      pipe.fileHandleForReading.readabilityHandler = { [self] handle in
        let data = handle.availableData
        if data.isEmpty {
          handle.readabilityHandler = nil
          done.signal()
        } else {
          text.withLock { $0.append(data) }
        }
      }
    }

    var string: String { text.withLock { String(decoding: $0, as: UTF8.self) } }
    func wait() { _ = done.wait(timeout: .now() + 10) }
  }

  /// The binary: in the folder of the test bundle.
  static let path: String = {
    let bundle = ProcessInfo.processInfo.arguments.first { $0.contains(".xctest") }
    let folder = bundle.map { path -> URL in
      var url = URL(fileURLWithPath: path)
      while url.path.contains(".xctest") { url.deleteLastPathComponent() }
      return url
    }
    return (folder ?? repository.appendingPathComponent(".build/debug")).appendingPathComponent("tocsin").path
  }()

  /// The repository's folder.
  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Starts it in the repository's folder.
  init(_ arguments: [String], environment: [String: String] = [:]) throws {
    output = Capture()
    errors = Capture()
    process.executableURL = URL(fileURLWithPath: Self.path)
    process.arguments = arguments
    process.currentDirectoryURL = Self.repository
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  var isRunning: Bool { process.isRunning }
  /// What it has written to standard error so far.
  var errorText: String { errors.string }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Its resident memory in KiB; 0 where it has ended.
  var residentKilobytes: Int {
    let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return line.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) } ?? 0
  }

  /// Waits for its end; past the time limit it is killed and the test fails.
  func wait(seconds: Int = 120) -> Outcome {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while process.isRunning, ContinuousClock.now < deadline { usleep(20_000) }
    if process.isRunning {
      Issue.record("tocsin did not end within \(seconds) s: \(errorText.suffix(2_000))")
      kill(process.processIdentifier, SIGKILL)
    }
    process.waitUntilExit()
    output.wait()
    errors.wait()
    return Outcome(status: process.terminationStatus, output: output.string, errors: errors.string)
  }

  /// Waits until standard error has a text.
  func waitFor(_ text: String, seconds: Int = 60) -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
      if errorText.contains(text) { return true }
      if !process.isRunning { return errorText.contains(text) }
      usleep(20_000)
    }
    return false
  }

  /// Runs it to its end.
  static func run(
    _ arguments: [String], environment: [String: String] = [:], seconds: Int = 120
  ) throws -> Outcome {
    try TocsinProcess(arguments, environment: environment).wait(seconds: seconds)
  }
}
