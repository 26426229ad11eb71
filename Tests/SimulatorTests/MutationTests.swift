import Foundation
import Simulator
import Testing

/// The table of docs/simulator.md: for each line of the protocol a seed that shows its absence.
@Suite struct MutationTests {
  /// A row of the table.
  struct Row: Sendable, CustomTestStringConvertible {
    var mutation: String
    var seed: String
    var invariant: String
    var testDescription: String { mutation }
  }

  static let rows: [Row] = {
    let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/simulator.md")
    let text = (try? String(contentsOf: page, encoding: .utf8)) ?? ""
    let section = text.components(separatedBy: "## Mutations").last ?? ""
    return section.split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
      guard line.hasPrefix("| `"), cells.count == 4 else { return nil }
      return Row(mutation: cells[0], seed: cells[2], invariant: cells[3])
    }
  }()

  /// Fewer than elsewhere: what goes on by itself does so in far fewer steps.
  private static let calmSteps = 8_000

  @Test func everyLineAndEveryInvariantIsListed() {
    // Lines that no seed has shown yet stand apart, by name.
    let listed = Self.rows.filter { $0.seed != "none" }
    #expect(Set(Self.rows.map(\.mutation)) == Set(Mutation.allCases.map(\.rawValue)))
    #expect(Set(listed.map(\.invariant)) == Set(Invariant.allCases.map(\.rawValue)))
  }

  @Test(arguments: rows.filter { $0.seed != "none" }) func theSeedFailsWithoutTheLineAndPassesWithIt(row: Row) throws {
    let mutation = try #require(Mutation(rawValue: row.mutation))
    let seed = try #require(UInt64(row.seed))
    let without = Simulation.run(seed: seed, mutation: mutation, calmSteps: Self.calmSteps)
    #expect(without.violation?.invariant.rawValue == row.invariant)
    let whole = Simulation.run(seed: seed, calmSteps: Self.calmSteps)
    if let violation = whole.violation { Issue.record("seed \(seed), whole: \(violation)") }
  }
}
