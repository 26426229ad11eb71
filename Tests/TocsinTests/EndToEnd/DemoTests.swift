import Testing

/// What a newcomer sees first: no Kafka, no network, every planted case found.
@Suite struct DemoTests {
  @Test func theDemonstrationFindsWhatItPlants() throws {
    let outcome = try TocsinProcess.run(["demo", "--events", "12000", "--seed", "5"], seconds: 60)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("12000 events"))
    let lines = outcome.output.split(separator: "\n").filter { $0.contains(" planted, ") && $0.hasSuffix(" alerts") }
    #expect(lines.count == 4)
    for line in lines {
      let numbers = line.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
      #expect(numbers.count == 2 && numbers[0] > 0 && numbers[1] >= numbers[0], "\(line)")
    }
  }
}
