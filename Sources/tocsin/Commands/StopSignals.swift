import Dispatch
import Glibc

/// SIGINT and SIGTERM: the first asks for an orderly stop, a second one ends the process at once.
final class StopSignals {
  private let sources: [any DispatchSourceSignal]

  /// From now on the signals call `stop` with their number, on a queue of their own.
  init(_ stop: @escaping @Sendable (Int32) -> Void) {
    let queue = DispatchQueue(label: "tocsin.signals")
    let isAsked = Once()
    sources = [SIGINT, SIGTERM].map { number in
      // The default would end the process before the source hears of it.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if isAsked.first() { stop(number) } else { _exit(ExitCode.fatal.rawValue) }
      }
      source.resume()
      return source
    }
  }

  /// Gives the signals back.
  func cancel() {
    for source in sources { source.cancel() }
    signal(SIGINT, SIG_DFL)
    signal(SIGTERM, SIG_DFL)
  }
}
