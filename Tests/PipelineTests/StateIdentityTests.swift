import Detection
import Testing

@testable import Pipeline

/// What a rule's state depends on, and what it does not.
@Suite struct StateIdentityTests {
  /// A file whose rule reads a derived field, parameters and tables.
  private struct Draft {
    var params = "{ limit: 100.0, other: 1, shown: 5 }"
    var source = "    topic: transfers\n    format: json\n    key: from\n    time: { field: ts }"
    var fields = FileSupport.fields
    var tables = FileSupport.tables
    var id = "busy"
    var filter = "usd > params.limit && asset in rates"
    var except = "{ where: memo == 'salary', reason: wages }"
    var by = "from"
    var window = "over: 24h"
    var lets = "{ n: count(), total: \"sum(usd, memo != 'x')\" }"
    var condition = "n >= params.shown"
    var rest = ""

    var text: String {
      FileSupport.file(
        head: "params: \(params)", source: source, fields: fields, tables: tables,
        rules: """
          - id: \(id)
            where: "\(filter)"
            except: [\(except)]
            by: \(by)
            \(window)
            let: \(lets)
            condition: "\(condition)"
          \(rest)
          - { id: other, where: n == params.other }
          """)
    }

    func identity() throws -> StateIdentity {
      let plan = try FileSupport.plan(text)
      #expect(plan.rules.map(\.identity) == plan.identities.map(\.digest))
      return try #require(plan.identities.first)
    }
  }

  private func draft(_ change: (inout Draft) -> Void) -> Draft {
    var draft = Draft()
    change(&draft)
    return draft
  }

  @Test func names() throws {
    let identity = try Draft().identity()
    #expect(
      identity.parts.map(\.name) == [
        "source", "time", "where", "except", "by", "window", "let n", "let total", "evidence", "field amount",
        "field asset", "field from", "field memo", "field ts", "field usd", "params.limit", "table rates",
      ])
    #expect(identity.digest.count == 16)
    #expect(identity.digest == (try Draft().identity().digest))
  }

  @Test func kept() throws {
    let before = try Draft().identity()
    let changes: [(inout Draft) -> Void] = [
      { $0.condition = "n > 100 && total > 5.0" },
      { $0.rest = "  severity: critical" },
      { $0.rest = "  message: \"{n} of {event.memo}\"" },
      { $0.rest = "  title: A title\n  description: Something\n  tags: [a, b]\n  risk: 10\n  action: hold" },
      { $0.rest = "  for: 1m\n  keep_firing_for: 1h\n  update_every: 1m" },
      { $0.except = "{ where: memo == 'salary', reason: something else, ticket: T-1 }" },
      { $0.params = "{ limit: 100.0, other: 2, shown: 6 }" },
      { $0.filter = "usd>params.limit   &&\tasset in rates // why" },
      { $0.fields = Draft().fields.replacing("n:      { at: /n", with: "n:      { at: /number") },
      { $0.fields = Draft().fields + "\n      more:   { at: /more, type: string, optional: true }" },
      {
        $0.fields = Draft().fields.replacing(
          "at: /from, type: address, entity: wallet", with: "at: /from, type: address")
      },
    ]
    for (place, change) in changes.enumerated() {
      let after = try draft(change).identity()
      #expect(after.changes(from: before) == [], "\(place)")
      #expect(after.digest == before.digest, "\(place)")
    }
  }

  @Test func changed() throws {
    let before = try Draft().identity()
    let changes: [([String], (inout Draft) -> Void)] = [
      (["where"], { $0.filter = "usd >= params.limit && asset in rates" }),
      (["where", "params.limit"], { $0.filter = "usd > 100.0 && asset in rates" }),
      (["where", "table rates"], { $0.filter = "usd > params.limit && asset != ''" }),
      (["except"], { $0.except = "{ where: memo == 'wages', reason: wages }" }),
      (["except"], { $0.except = "{ where: memo == 'salary', reason: wages, until: 2027-01-01 }" }),
      (["by", "field to"], { $0.by = "[from, to]" }),
      (["window"], { $0.window = "over: 12h" }),
      (["window"], { $0.window = "per: 1d" }),
      (["window"], { $0.window = "per: 1d\n  zone: Europe/Berlin" }),
      (["let total"], { $0.lets = "{ n: count(), total: sum(usd) }" }),
      (["let more"], { $0.lets = "{ n: count(), total: \"sum(usd, memo != 'x')\", more: count() }" }),
      (["let total"], { $0.lets = "{ n: count() }" }),
      (["evidence"], { $0.rest = "  evidence: 3" }),
      (["params.limit"], { $0.params = "{ limit: 200.0, other: 1, shown: 5 }" }),
      (["params.limit"], { $0.params = "{ limit: 100, other: 1, shown: 5 }" }),
      (["field usd"], { $0.fields = Draft().fields.replacing("* 2.0", with: "* 3.0") }),
      (["field amount"], { $0.fields = Draft().fields.replacing("at: /amount", with: "at: /value") }),
      (["field ts"], { $0.fields = Draft().fields.replacing("timestamp_ms", with: "timestamp_s") }),
      (["source"], { $0.source = Draft().source.replacing("topic: transfers", with: "topic: more") }),
      (["time"], { $0.source = Draft().source.replacing("field: ts", with: "field: ts, out_of_order: 1m") }),
    ]
    for (parts, change) in changes {
      let after = try draft(change).identity()
      #expect(Set(after.changes(from: before)) == Set(parts), "\(parts)")
      #expect(after.digest != before.digest, "\(parts)")
    }
    #expect(try draft { $0.id = "another" }.identity().digest != before.digest)
  }

  /// What an aggregate takes in from a table is kept in the type of the table's column.
  @Test func columnsOfTables() throws {
    let read = draft { $0.lets = "{ n: count(), total: \"sum(rates[asset].usd)\" }" }
    var other = read
    other.tables = other.tables.replacing("usd: double", with: "usd: int")
    #expect(try other.identity().changes(from: try read.identity()) == ["table rates"])
    // Where it is only asked, its rows may change as they like.
    let asked = draft { $0.tables = $0.tables.replacing("usd: double", with: "usd: int") }
    #expect(try asked.identity().digest == (try Draft().identity().digest))
  }

  /// A derived field is looked through, also where it reads parameters and tables.
  @Test func derivedFields() throws {
    let fields = Draft().fields.replacing(
      "value: \"double(amount) * 2.0\"", with: "value: \"asset in rates && n > params.other ? 1.0 : 2.0\"")
    let before = draft { draft in
      draft.fields = fields
      draft.filter = "usd > params.limit"
    }
    var identity = try before.identity()
    let names = Set(identity.parts.map(\.name))
    #expect(names.isSuperset(of: ["field asset", "field n", "params.other", "table rates"]))
    #expect(!names.contains("field amount"))
    var after = before
    after.params = "{ limit: 100.0, other: 2, shown: 5 }"
    identity = try after.identity()
    #expect(identity.changes(from: try before.identity()) == ["params.other"])
  }

  /// Evidence is kept only where there is room for more than the causing event.
  @Test func evidence() throws {
    let none = try draft { $0.rest = "  evidence: 0" }.identity()
    let one = try draft { $0.rest = "  evidence: 1" }.identity()
    #expect(none.digest == one.digest)
  }

  /// State cells follow the order of the `let`s.
  @Test func letOrder() throws {
    let before = try Draft().identity()
    let after = try draft { $0.lets = "{ total: \"sum(usd, memo != 'x')\", n: count() }" }.identity()
    #expect(after.digest != before.digest)
    #expect(after.changes(from: before) == [])
  }

  /// The digest is part of what lies in state topics: a change of it throws state away.
  @Test func golden() throws {
    let plan = try FileSupport.plan(
      FileSupport.file(
        rules: "- { id: a, by: from, over: 1h, let: { n: count() }, condition: n > 3 }"))
    let digest = plan.rules[0].identity
    #expect(digest == plan.identities[0].digest)
    #expect(
      plan.identities[0].parts == [
        StateIdentity.Part("source", "json transfers"), StateIdentity.Part("time", "ts out_of_order 5000000000"),
        StateIdentity.Part("by", "from"),
        StateIdentity.Part("window", "over 3600000000000 granule 60000000000"),
        StateIdentity.Part("let n", "count ( )"), StateIdentity.Part("evidence", "9"),
        StateIdentity.Part("field from", "address at 4 from"), StateIdentity.Part("field ts", "timestamp_ms at 2 ts"),
      ])
  }

  @Test func defaultIdentity() throws {
    let plan = try FileSupport.plan(FileSupport.file())
    let bare = RulePlan(
      id: "large", filters: [], kind: .event, severities: plan.rules[0].severities, message: plan.rules[0].message)
    #expect(bare.identity.count == 16)
    #expect(bare.identity != plan.rules[0].identity)
  }
}
