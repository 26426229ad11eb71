import Dispatch
import Glibc
import Locking
import Telemetry

/// SIGINT and SIGTERM: the first asks for an orderly stop, a second one ends the process at once. SIGHUP asks for the pipeline
/// file and its lists to be read again, where the command can do that.
final class StopSignals {
  private let sources: [any DispatchSourceSignal]

  private let numbers: [Int32]

  /// From now on the signals call `stop`, with their number, and `reload`, on a queue of their own; without `reload`, SIGHUP
  /// does what it did.
  init(stop: @escaping @Sendable (Int32) -> Void, reload: (@Sendable () -> Void)? = nil) {
    let queue = DispatchQueue(label: "tocsin.signals")
    let requests = Lock(StopRequests())
    let log = Logger(module: "tocsin")
    numbers = [SIGINT, SIGTERM] + (reload == nil ? [] : [SIGHUP])
    sources = numbers.map { number in
      // The default would end the process before the source hears of it.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if number == SIGHUP { return reload?() ?? () }
        switch requests.withLock({ $0.add(at: .now) }) {
        case .stop: stop(number)
        case .same: break
        case .end:
          log.error(
            "a second signal cuts the orderly stop short: what is not settled is read again at the next start",
            ["signal": number == SIGINT ? "SIGINT" : "SIGTERM", "exit_code": "\(ExitCode.fatal.rawValue)"])
          _exit(ExitCode.fatal.rawValue)
        }
      }
      source.resume()
      return source
    }
  }

  /// Gives the signals back.
  func cancel() {
    for source in sources { source.cancel() }
    for number in numbers { signal(number, SIG_DFL) }
  }
}

/// What a signal that asks for a stop means, by those that came before it.
struct StopRequests {
  enum Meaning: Hashable {
    /// The first: an orderly stop.
    case stop
    /// One request may come twice: `timeout` signals its child and then its group, a terminal and a supervisor both.
    case same
    /// Somebody does not want to wait.
    case end
  }

  /// How soon after the first a signal belongs to it.
  static let grace = Duration.seconds(1)
  private var first: ContinuousClock.Instant?

  /// One more signal.
  mutating func add(at now: ContinuousClock.Instant) -> Meaning {
    guard let first else {
      first = now
      return .stop
    }
    return now - first < Self.grace ? .same : .end
  }
}
