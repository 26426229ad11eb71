import Foundation
import KafkaTestSupport
import Testing
import TortureSupport

/// A short torture, on one broker that is paused but not killed; `make torture` has three and kills them too.
@Suite(.serialized, .enabled(if: RealKafka.isStartable("torture") && Kcat.isAvailable("torture")))
struct TortureTests {
  @Test func nothingIsLostDoubledOrWrong() throws {
    let seed = UInt64.random(in: 1..<1_000_000)
    var options = TortureRun.Options(
      folder: TocsinProcess.repository.appendingPathComponent(".build/torture/test-\(seed)").path,
      program: TocsinProcess.path)
    options.seed = seed
    options.seconds = 30
    options.nodes = 1
    options.instances = 3
    options.rate = 300
    options.gap = 0.7..<2.5
    options.drain = 60
    let outcome = try TortureRun(options) { print("torture: \($0)") }.run()
    print(outcome.report)
    #expect(outcome.isRight, "\(outcome.report)")
  }
}
