import Simulator
import Testing

@Suite struct SimulationTests {
  /// A bounded run; `make simulate` takes as many steps as one likes.
  @Test(arguments: UInt64(0)..<8) func noInvariantIsBroken(block: UInt64) {
    for seed in (block * 3)..<(block * 3 + 3) {
      let outcome = Simulation.run(seed: seed)
      if let violation = outcome.violation { Issue.record("seed \(seed): \(violation)") }
      #expect(outcome.faultedSteps > 0)
    }
  }

  @Test func aSeedReplays() {
    let first = Simulation.run(seed: 3, isTracing: true)
    let second = Simulation.run(seed: 3, isTracing: true)
    #expect(first.trace == second.trace)
    #expect(first.steps == second.steps && first.outputs == second.outputs)
    #expect(first.trace.count > 20)
  }
}
