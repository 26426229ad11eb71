import Detection
import Events
import Testing

@testable import Pipeline

@Suite struct TopologyTests {
  private func fields(_ exchange: ExchangePlan) -> [String] {
    exchange.columnSlots.map { exchange.plan.schema.fields[$0].name }
  }

  @Test func rulesGoWhereTheirKeyIs() throws {
    let topology = Topology(try ExchangeWorld.plan())
    #expect(topology.source.rules.map(\.id) == ["single", "card-minute"])
    #expect(topology.source.descriptions.map(\.id) == ["single", "card-minute"])
    #expect(topology.exchanges.map(\.topic) == ["test.by-to", "test.by-to-place"])
    #expect(topology.exchanges[0].plan.rules.map(\.id) == ["to-minute", "to-trailing", "to-large"])
    #expect(topology.exchanges[1].plan.rules.map(\.id) == ["to-place"])
    #expect(topology.exchanges[0].plan.rules.allSatisfy { $0.isPrefiltered })
    #expect(
      topology.exchanges.map(\.partitions) == [3, 3] && topology.exchanges.map(\.key) == [["to"], ["to", "place"]])
    // What has an entity is shown as evidence; what nothing reads stays where it is.
    #expect(fields(topology.exchanges[0]) == ["card", "to", "amount", "twice", "memo"])
    #expect(fields(topology.exchanges[1]) == ["card", "to", "place", "tags"])
    #expect(topology.exchange(ofTopic: "test.by-to")?.number == 0 && topology.exchange(ofTopic: "payments") == nil)
    #expect(topology.placements.map(\.key) == [nil, nil, ["to"], ["to"], ["to", "place"], ["to"]])
    #expect(topology.placements[1].reason == .sourceKey("card"))
    #expect(topology.placements[2].reason == .otherKey(source: "card"))
  }

  @Test func rulesWithoutWindowsStayUnlessTheyKeepFiring() throws {
    func placement(_ rule: String, source: String = FileSupport.source) throws -> RulePlacement {
      let file = FileSupport.file(source: source, rules: rule)
      let plan = try #require(PipelineFile.read(bytes: Array(file.utf8), path: "/test.yaml", environment: [:]).plan)
      return try #require(Topology(plan).placements.first)
    }
    #expect(try placement("- { id: a, where: n > 1 }").reason == .singleEvents)
    #expect(try placement("- { id: a, where: n > 1, by: to }").reason == .momentary)
    #expect(
      try placement("- { id: a, where: n > 1, by: to, keep_firing_for: 1m }").reason == .otherKey(source: "from"))
    #expect(try placement("- { id: a, where: n > 1, by: [asset, from], keep_firing_for: 1m }").key == nil)
    let silent = "    topic: transfers\n    format: json\n    time: { field: ts }"
    let window = "- id: a\n  by: to\n  per: 1h\n  let: { k: count() }\n  condition: k > 1"
    #expect(try placement(window, source: silent).reason == .keyNotSaid)
    #expect(try placement(window).key == ["to"])
  }

  @Test func namesOfTopicsAreChecked() {
    let window = "- id: a\n  by: to\n  per: 1h\n  let: { k: count() }\n  condition: k > 1"
    #expect(
      FileSupport.mistakes(FileSupport.file(rules: window, outputs: "{ alerts: { topic: test.by-to } }")) == [
        "`test.by-to` is the exchange for the rule `a`, and the file gives the name to another topic"
      ])
    #expect(FileSupport.mistakes(FileSupport.file(rules: window, tail: "exchange: { partitions: 0 }")).count == 1)
    let settings = try? FileSupport.plan(
      FileSupport.file(rules: window, tail: "exchange: { partitions: 6, lead: 10m, gather: 20ms }")
    ).exchange
    #expect(settings?.partitions == 6 && settings?.lead == 600_000_000_000 && settings?.gather == 20_000_000)
  }

  /// Behind an exchange, events come out of order by up to `lead`: a trailing window that is shorter would miss some.
  @Test func aShortTrailingWindowIsRefused() {
    func messages(_ over: String, _ exchange: String = "") -> [String] {
      let rule = "- { id: a, by: to, \(over), let: { k: count() }, condition: k > 1 }"
      return FileSupport.mistakes(FileSupport.file(rules: rule, tail: exchange))
    }
    #expect(messages("over: 59m").count == 1)
    #expect(messages("over: 1h").isEmpty)
    #expect(messages("per: 1m").isEmpty)
    #expect(messages("over: 59m", "exchange: { lead: 10m }").isEmpty)
  }
}
