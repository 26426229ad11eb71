import Foundation
import Simulator

// Runs seeds until so many faulted steps have been taken, or shows one seed step by step.
//
//   simulate --steps N [--seed FIRST]      every seed from FIRST on; ends with 1 at the first that breaks an invariant
//   simulate --show SEED [--without LINE]  one seed with its trace, whole or without a line of the protocol
//   simulate --mutations [--seeds N] [--only LINE,LINE] [--all]
//                                          for each line of the protocol, a seed of the first N that shows its absence;
//                                          with --all, one for each invariant that breaks

struct Arguments {
  private let words = Array(CommandLine.arguments.dropFirst())

  func has(_ name: String) -> Bool { words.contains("--\(name)") }

  func text(_ name: String) -> String? {
    guard let place = words.firstIndex(of: "--\(name)"), place + 1 < words.count else { return nil }
    return words[place + 1]
  }

  func number(_ name: String) -> Int? { text(name).flatMap { Int($0) } }
}

/// Prints at once, also into a pipe.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

func show(_ seed: UInt64, without line: String?) -> Int32 {
  let mutation = line.flatMap { Mutation(rawValue: $0) }
  if let line, mutation == nil {
    say("there is no line `\(line)`; there are: \(Mutation.allCases.map(\.rawValue).joined(separator: " "))")
    return 2
  }
  let outcome = Simulation.run(seed: seed, mutation: mutation, isTracing: true)
  for text in outcome.trace { say(text) }
  say("\(outcome.steps) steps, \(outcome.outputs) outputs, faults: \(text(outcome.faults))")
  guard let violation = outcome.violation else { return 0 }
  say("\(violation)")
  return 1
}

func text(_ faults: [Fault: Int]) -> String {
  Fault.allCases.compactMap { fault in faults[fault].map { "\(fault.rawValue) \($0)" } }.joined(separator: ", ")
}

func run(steps: Int, from first: UInt64) -> Int32 {
  var seed = first
  var (taken, faulted, outputs) = (0, 0, 0)
  var faults: [Fault: Int] = [:]
  let began = Date()
  while faulted < steps {
    let outcome = Simulation.run(seed: seed)
    if let violation = outcome.violation {
      say("seed \(seed): \(violation)\nto see it: make simulate SHOW=\(seed)")
      return 1
    }
    taken += outcome.steps
    faulted += outcome.faultedSteps
    outputs += outcome.outputs
    faults.merge(outcome.faults) { $0 + $1 }
    seed += 1
  }
  let seeds = seed - first
  let seconds = Date().timeIntervalSince(began)
  say(
    """
    \(seeds) seeds from \(first), \(taken) steps, \(faulted) of them with faults about, \(outputs) outputs committed: no \
    invariant broken
    faults: \(text(faults))
    \(Int(Double(seeds) / seconds * 60)) seeds a minute
    """)
  return 0
}

func mutations(_ seeds: Int, _ arguments: Arguments) -> Int32 {
  var isMissing = false
  let only = arguments.text("only")
  for mutation in Mutation.allCases where only.map({ $0.contains(mutation.rawValue) }) ?? true {
    var found: [Invariant: UInt64] = [:]
    for seed in 0..<UInt64(seeds) where found.isEmpty || arguments.has("all") {
      guard let invariant = Simulation.run(seed: seed, mutation: mutation).violation?.invariant else { continue }
      if found[invariant] == nil { found[invariant] = seed }
    }
    isMissing = isMissing || found.isEmpty
    let list = found.sorted { $0.value < $1.value }.map { "\($0.key.rawValue) at \($0.value)" }
    say("\(mutation.rawValue): \(list.isEmpty ? "not noticed" : list.joined(separator: ", "))")
  }
  return isMissing ? 1 : 0
}

let arguments = Arguments()
if let seed = arguments.text("show").flatMap({ UInt64($0) }) {
  exit(show(seed, without: arguments.text("without")))
} else if arguments.has("mutations") {
  exit(mutations(arguments.number("seeds") ?? 2_000, arguments))
}
exit(run(steps: arguments.number("steps") ?? 100_000, from: UInt64(arguments.number("seed") ?? 0)))
