import Alerts
import Events
import TestSupport

/// Records of any content: within the bounds and far beyond them.
enum RandomRecord {
  private static let characters: [Unicode.Scalar] = [
    "a", "b", ":", "/", "\"", "\\", "\u{0}", "\u{1F}", "\n", "\t", "\u{7F}", "\u{85}", "é", "\u{301}", "\u{2028}", "🏦",
    "\u{200D}", "\u{FFFF}", "\u{10FFFF}", "\u{FFFD}", "{", "]", ",", " ",
  ]

  static func text(_ random: inout SeededRandom) -> String {
    let count = [0, 3, 20, 90, 700, 9_000].randomElement(using: &random) ?? 0
    var text = ""
    for _ in 0..<Int.random(in: 0...count, using: &random) {
      text.unicodeScalars.append(characters.randomElement(using: &random) ?? "a")
    }
    return text
  }

  static func scalar(_ random: inout SeededRandom, depth: Int = 2) -> Scalar {
    switch Int.random(in: 0..<(depth > 0 ? 10 : 9), using: &random) {
    case 0: .null
    case 1: .int(Int64(bitPattern: random.next()))
    case 2: .uint(random.next())
    case 3: .double(Double(bitPattern: random.next()))
    case 4: .bool(Bool.random(using: &random))
    case 5: .decimal(Int128.random(in: .min ... .max, using: &random), scale: Int.random(in: 0...400, using: &random))
    case 6: .timestamp(Int64(bitPattern: random.next()))
    case 7: .duration(Int64(bitPattern: random.next()))
    case 8: .string(text(&random))
    default: .list(list(&random) { scalar(&$0, depth: depth - 1) })
    }
  }

  static func list<Element>(
    _ random: inout SeededRandom, _ element: (inout SeededRandom) -> Element
  ) -> [Element] {
    let most = [0, 2, 5, 40].randomElement(using: &random) ?? 0
    return (0..<Int.random(in: 0...most, using: &random)).map { _ in element(&random) }
  }

  static func optional<Value>(
    _ random: inout SeededRandom, _ value: (inout SeededRandom) -> Value
  ) -> Value? {
    Bool.random(using: &random) ? value(&random) : nil
  }

  static func time(_ random: inout SeededRandom) -> Int64 { Int64(bitPattern: random.next()) }
  static func count(_ random: inout SeededRandom) -> Int { Int.random(in: 0...(1 << 50), using: &random) }

  static func place(_ random: inout SeededRandom) -> RecordPlace {
    RecordPlace(topic: text(&random), partition: .random(in: 0...99, using: &random), offset: time(&random))
  }

  static func named(_ random: inout SeededRandom) -> NamedScalar { NamedScalar(text(&random), scalar(&random)) }

  static func record(_ random: inout SeededRandom) -> AlertRecord {
    AlertRecord(
      pipeline: .init(
        name: text(&random), version: text(&random), productVersion: text(&random), alertSource: text(&random)),
      rule: rule(&random),
      episode: .init(
        state: AlertRecord.Episode.State.allCases.randomElement(using: &random) ?? .opened, revision: count(&random),
        start: time(&random), opening: place(&random), opened: time(&random), events: count(&random),
        heldBack: count(&random), isEvidenceTruncated: Bool.random(using: &random)),
      subject: .init(
        entity: text(&random), value: text(&random), type: type(&random), key: list(&random, named)),
      severity: Severity.allCases.randomElement(using: &random) ?? .low, eventTime: time(&random),
      firstSeen: time(&random), lastSeen: time(&random), message: text(&random),
      conditions: list(&random, condition), values: list(&random, named),
      window: optional(&random) { .init(text: text(&$0), from: time(&$0), to: time(&$0)) },
      evidence: list(&random, evidence), hits: list(&random, hit),
      tables: Dictionary(list(&random) { (text(&$0), text(&$0)) }) { first, _ in first },
      traceParent: optional(&random, text),
      crypto: optional(&random) {
        .init(chain: optional(&$0, text), asset: optional(&$0, text), address: text(&$0), exposure: .indirect)
      })
  }

  private static func rule(_ random: inout SeededRandom) -> AlertRecord.Rule {
    .init(
      id: text(&random), title: text(&random), description: optional(&random, text), version: text(&random),
      crimes: list(&random, text), tags: list(&random, text), references: list(&random, text),
      runbook: optional(&random, text), owner: optional(&random, text),
      riskScore: optional(&random) { Int.random(in: -5...200, using: &$0) },
      action: AlertRecord.Rule.Action.allCases.randomElement(using: &random) ?? .none)
  }

  private static func type(_ random: inout SeededRandom) -> FieldType {
    [.string, .address, .ip, .int, .list(.address)].randomElement(using: &random) ?? .string
  }

  private static func condition(_ random: inout SeededRandom) -> AlertRecord.Condition {
    .init(
      text: text(&random), metric: optional(&random, text), observed: optional(&random) { scalar(&$0) },
      comparison: optional(&random, text), threshold: optional(&random) { scalar(&$0) },
      aggregate: optional(&random, text))
  }

  private static func evidence(_ random: inout SeededRandom) -> AlertRecord.Evidence {
    .init(
      place: place(&random), eventTime: time(&random), sha256: text(&random),
      fields: list(&random) { .init(name: text(&$0), value: scalar(&$0), type: type(&$0), entity: optional(&$0, text)) }
    )
  }

  private static func hit(_ random: inout SeededRandom) -> AlertRecord.TableHit {
    .init(
      field: optional(&random, text), key: text(&random), table: text(&random),
      kind: AlertRecord.TableHit.Kind.allCases.randomElement(using: &random) ?? .watchlist, version: text(&random),
      entry: text(&random), category: optional(&random, text), confidence: optional(&random) { Int(time(&$0)) },
      source: optional(&random, text), listedOn: optional(&random, text), entity: optional(&random, text),
      asset: optional(&random, text))
  }
}
