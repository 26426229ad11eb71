import Foundation
import Locking

/// A program that was started here and may be signalled as long as it is there. Its output goes to a file, and it has no
/// descriptor of ours.
public final class ChildProcess: Sendable {
  /// How a process ended.
  public enum Ending: Sendable, Hashable {
    /// By itself, with this code.
    case exit(Int32)
    /// By this signal.
    case signal(Int32)
  }

  /// Its process id; another process may have it once this one has ended.
  public let processID: Int32
  private let known = Lock<Ending?>(nil)

  /// Starts it.
  ///
  /// - Parameters:
  ///   - environment: what is added to this process's own.
  ///   - log: the file that its standard output and standard error go to; nil: nowhere.
  public init(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], log: String? = nil
  ) throws(RealKafkaError) {
    guard let process = Self.spawn(program, arguments, environment, log) else {
      throw RealKafkaError(message: "\(program) could not be started")
    }
    processID = process
  }

  /// How it ended; nil while it is there.
  public var ending: Ending? {
    known.withLock { known in
      if known == nil {
        var status: Int32 = 0
        if waitpid(processID, &status, WNOHANG) == processID { known = Self.ending(status) }
      }
      return known
    }
  }

  /// Sends a signal, unless it has ended.
  public func send(_ signal: Int32) {
    known.withLock { known in
      if known == nil { kill(processID, signal) }
    }
  }

  /// Waits for its end without a bound.
  public func wait() -> Ending {
    while true {
      if let ending { return ending }
      usleep(10_000)
    }
  }

  /// Has a shell of its own session carry out a script once this process is gone, however it ends. The shell holds none of
  /// our descriptors: who waits for our output's end would wait for it.
  public static func whenThisProcessHasEnded(_ script: String) throws(RealKafkaError) {
    let text = """
      exec 2>/dev/null
      while kill -0 \(ProcessInfo.processInfo.processIdentifier); do sleep 0.3; done
      \(script)
      """
    _ = try ChildProcess("/usr/bin/setsid", ["/bin/sh", "-c", text])
  }

  private static func ending(_ status: Int32) -> Ending {
    status & 0x7f == 0 ? .exit(status >> 8 & 0xff) : .signal(status & 0x7f)
  }

  /// Foundation's `Process` learns of a child's end by a socket that children started at the same time, and theirs, would
  /// keep open: Kafka, for as long as the tests run.
  private static func spawn(
    _ program: String, _ arguments: [String], _ environment: [String: String], _ log: String?
  ) -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(
      &actions, STDOUT_FILENO, log ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o644)
    if log != nil { posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO) }
    for descriptor in (STDERR_FILENO + 1)..<1024 { posix_spawn_file_actions_addclose(&actions, descriptor) }
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    var settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (words + settings).forEach { free($0) } }
    var process: pid_t = 0
    return posix_spawn(&process, program, &actions, nil, &words, &settings) == 0 ? process : nil
  }
}
