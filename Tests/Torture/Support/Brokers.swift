import Foundation
import KafkaTestSupport
import Locking

/// The brokers, at most one of them down or paused at a time: with three copies and two that must be in sync, the rest goes on.
final class Brokers: Sendable {
  private struct State {
    var isDisturbed = false
    var calmSince = ContinuousClock.now
    var complaints: [String] = []
  }

  let kafka: RealKafka
  let count: Int
  private let queue = DispatchQueue(label: "torture.brokers")
  private let state = Lock(State())

  init(_ kafka: RealKafka, count: Int) {
    self.kafka = kafka
    self.count = count
  }

  var complaints: [String] { state.withLock { $0.complaints } }
  var isCalm: Bool { state.withLock { !$0.isDisturbed } }

  /// Whether all have been up for so long that their copies can be in sync again.
  func isSettled(for seconds: Double) -> Bool {
    state.withLock { !$0.isDisturbed && ContinuousClock.now >= $0.calmSince + .seconds(seconds) }
  }

  func kill(_ node: Int, for seconds: Double) {
    disturb(seconds, begin: { try $0.kill(node: node) }, end: { try $0.restart() })
  }

  func terminate(_ node: Int, for seconds: Double) {
    disturb(seconds, begin: { try $0.terminate(node: node) }, end: { try $0.restart() })
  }

  func pause(_ node: Int, for seconds: Double) {
    disturb(seconds, begin: { try $0.pause(node: node) }, end: { try $0.resume(node: node) })
  }

  private func disturb(
    _ seconds: Double, begin: @escaping @Sendable (RealKafka) throws -> Void,
    end: @escaping @Sendable (RealKafka) throws -> Void
  ) {
    state.withLock { $0.isDisturbed = true }
    queue.async { [self] in
      do {
        try begin(kafka)
        usleep(UInt32(seconds * 1_000_000))
        try end(kafka)
      } catch {
        state.withLock { $0.complaints.append("\(error)") }
      }
      state.withLock { state in
        state.isDisturbed = false
        state.calmSince = .now
      }
    }
  }
}
