import Dispatch
import Glibc

/// SIGINT and SIGTERM: the first asks for an orderly stop, a second one ends the process at once. SIGHUP asks for the pipeline
/// file and its lists to be read again, where the command can do that.
final class StopSignals {
  private let sources: [any DispatchSourceSignal]

  private let numbers: [Int32]

  /// From now on the signals call `stop`, with their number, and `reload`, on a queue of their own; without `reload`, SIGHUP
  /// does what it did.
  init(stop: @escaping @Sendable (Int32) -> Void, reload: (@Sendable () -> Void)? = nil) {
    let queue = DispatchQueue(label: "tocsin.signals")
    let isAsked = Once()
    numbers = [SIGINT, SIGTERM] + (reload == nil ? [] : [SIGHUP])
    sources = numbers.map { number in
      // The default would end the process before the source hears of it.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if number == SIGHUP { return reload?() ?? () }
        if isAsked.first() { stop(number) } else { _exit(ExitCode.fatal.rawValue) }
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
