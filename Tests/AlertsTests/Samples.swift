import Alerts
import Events

/// The alerts that the golden files hold.
enum Samples {
  static let all: [(name: String, record: AlertRecord)] = [
    ("event-opened", listedPayee),
    ("event-without-by", withoutBy),
    ("window-opened", structuring(.opened, revision: 1, events: 3, at: 0)),
    ("window-updated", structuring(.updated, revision: 2, events: 5, at: 3_600)),
    ("window-closed", structuring(.closed, revision: 3, events: 5, at: 90_000)),
    ("hostile", hostile),
  ]

  static let pipeline = AlertRecord.Pipeline(
    name: "crypto-transfers", version: "sha256:" + String(repeating: "4f", count: 32), productVersion: "1.0.0",
    alertSource: "//bank.example/tocsin")
  /// 2026-11-23T09:20:00Z
  static let start: Int64 = 1_795_425_600_000_000_000
  static let wallet = "bc1qexampleexampleexample"

  static func digest(_ text: String) -> String { SHA256.hex(text.utf8) }

  static func transfer(_ offset: Int64, to payee: String, cents: Int128, at time: Int64) -> AlertRecord.Evidence {
    AlertRecord.Evidence(
      place: RecordPlace(topic: "transfers", partition: 3, offset: offset), eventTime: time,
      sha256: digest("transfer \(offset)"),
      fields: [
        .init(name: "from", value: .string(wallet), type: .address, entity: "wallet"),
        .init(name: "to", value: .string(payee), type: .address, entity: "wallet"),
        .init(name: "asset", value: .string("BTC"), type: .string),
        .init(name: "usd", value: .decimal(cents, scale: 2), type: .decimal(scale: 2)),
        .init(name: "memo", value: .null, type: .string),
      ])
  }

  /// An event before the one that caused the alert: of its fields, only the key's is known.
  static func earlier(_ offset: Int64, at time: Int64) -> AlertRecord.Evidence {
    var evidence = transfer(offset, to: "", cents: 0, at: time)
    evidence.fields = Array(evidence.fields.prefix(1))
    return evidence
  }

  /// A window rule's episode.
  static func structuring(
    _ state: AlertRecord.Episode.State, revision: Int, events: Int, at seconds: Int64
  ) -> AlertRecord {
    let second: Int64 = 1_000_000_000
    let now = start + seconds * second
    let lastSeen = min(now, start + 3_600 * second)
    let total = Double(events) * 9_100
    return AlertRecord(
      pipeline: pipeline,
      rule: .init(
        id: "structuring", title: "Structuring below the reporting threshold",
        description: "Repeated transfers kept just under the reporting threshold",
        version: "sha256:" + String(repeating: "9b", count: 32), crimes: ["money-laundering"],
        tags: ["tlp:AMBER", "aml"], references: ["https://wiki.bank.example/runbooks/structuring"],
        runbook: "Compare with the customer's declared business; file an STR if unexplained.",
        owner: "financial-crime", riskScore: 40, action: .review),
      episode: .init(
        state: state, revision: revision, start: start,
        opening: RecordPlace(topic: "transfers", partition: 3, offset: 991_204), opened: start, events: events,
        heldBack: state == .updated ? 1 : 0, isEvidenceTruncated: events > 3),
      subject: .init(
        entity: "wallet", value: wallet, type: .address, key: [NamedScalar("from", .string(wallet))]),
      severity: events > 3 ? .high : .medium, eventTime: now, firstSeen: start - 3_600 * second, lastSeen: lastSeen,
      message: "\(events) transfers just under 10000 USD within a day, \(Int(total)) USD to 3 payees",
      conditions: [
        .init(
          text: "n >= 3", metric: "n", observed: .int(Int64(events)), comparison: ">=", threshold: .int(3),
          aggregate: "count()"),
        .init(
          text: "total > 2.5 * params.limit_usd", metric: "total", observed: .double(total), comparison: ">",
          threshold: .double(25_000), aggregate: "sum(usd)"),
      ],
      values: [NamedScalar("n", .int(Int64(events))), NamedScalar("total", .double(total))],
      window: .init(text: "over: 24h", from: lastSeen - 86_400 * second, to: lastSeen),
      evidence: [
        earlier(991_180, at: start - 3_600 * second),
        transfer(991_204, to: "bc1qsecondpayee", cents: 920_000, at: start),
      ],
      tables: ["rates": "sha256:" + digest("rates"), "mixers": "sha256:" + digest("mixers")],
      traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
  }

  /// An event rule with `by`, and a table that found something.
  static let listedPayee: AlertRecord = {
    let listed = "0x7f367cc41522ce07553e823bf3be79a889debe1b"
    let sanctions = "sha256:" + digest("sanctions")
    return AlertRecord(
      pipeline: pipeline,
      rule: .init(
        id: "sanctioned-counterparty", title: "Transfer with a sanctioned address",
        version: "sha256:" + String(repeating: "1c", count: 32), crimes: ["sanctions-evasion"], riskScore: 100,
        action: .block),
      episode: .init(
        state: .opened, revision: 1, start: start,
        opening: RecordPlace(topic: "transfers", partition: 0, offset: 17), opened: start, events: 1),
      subject: .init(
        entity: "wallet", value: wallet, type: .address,
        key: [NamedScalar("from", .string(wallet)), NamedScalar("asset", .string("ETH"))]),
      severity: .critical, eventTime: start, firstSeen: start, lastSeen: start,
      message: "\(wallet) dealt with a sanctioned address: 1.5 ETH",
      conditions: [.init(text: "from in sanctions || to in sanctions")],
      evidence: [transfer(17, to: listed, cents: 480_000, at: start)],
      hits: [
        .init(
          field: "to", key: listed, table: "sanctions", kind: .watchlist, version: sanctions, entry: "30518",
          category: "CYBER2", confidence: 90, source: "https://www.treasury.gov/ofac/downloads/sdn.csv",
          listedOn: "2020-09-16", entity: "ANDREYEV, Anton", asset: "ETH"),
        .init(
          field: "from", key: wallet, table: "customers", kind: .reference, version: "sha256:77aa", entry: "row 4711"),
      ],
      tables: ["sanctions": sanctions],
      crypto: .init(chain: "ethereum", asset: "ETH", address: listed, exposure: .direct))
  }()

  /// An event rule without `by`: the subject is the event itself.
  static let withoutBy: AlertRecord = {
    let place = RecordPlace(topic: "logins", partition: 11, offset: 4_503_599_627_370_497)
    return AlertRecord(
      pipeline: .init(
        name: "bank attacks", version: "sha256:00", productVersion: "1.0.0", alertSource: "//bank.example/tocsin"),
      rule: .init(id: "root-login", title: "root-login", version: "sha256:01", tags: ["attack.t1078"], riskScore: 10),
      episode: .init(state: .opened, revision: 1, start: start + 1, opening: place, opened: start + 1, events: 1),
      subject: .init(entity: "event", value: place.description, key: []),
      severity: .low, eventTime: start + 1, firstSeen: start + 1, lastSeen: start + 1,
      message: "root logged in from 192.0.2.7",
      window: .init(text: "calendar", from: start, to: start + 1),
      evidence: [
        .init(
          place: place, eventTime: start + 1, sha256: digest("login"),
          fields: [
            .init(name: "user", value: .string("root"), type: .string, entity: "user"),
            .init(name: "host", value: .string("db1.bank.example"), type: .string, entity: "host"),
            .init(name: "source", value: .string("192.0.2.7"), type: .ip),
            .init(
              name: "hops", value: .list([.string("192.0.2.1"), .string("192.0.2.7")]), type: .list(.ip)),
            .init(name: "merchant", value: .string("M-7"), type: .string, entity: "merchant"),
            .init(name: "since", value: .timestamp(start), type: .timestamp(.milliseconds)),
            .init(name: "took", value: .duration(250_000_000), type: .int),
            .init(name: "ok", value: .bool(true), type: .bool),
            .init(name: "score", value: .double(0.1), type: .double),
          ])
      ])
  }()

  /// What a hostile sender may put into an event.
  static let hostile: AlertRecord = {
    let nasty = "\u{0}\u{1F}\"\\/\r\n\t\u{8}\u{C}\u{7F}\u{85}\u{2028}\u{FFFF}\u{202E}</script> 🏦👩‍👩‍👧 e\u{301} {\"a\":1}"
    let huge = String(repeating: "𝄞\u{0}", count: 2_000_000)
    return AlertRecord(
      pipeline: .init(name: "p/../🏦 %", version: nasty, productVersion: "1.0.0", alertSource: "//bank.example/tocsin"),
      rule: .init(
        id: nasty, title: nasty, description: huge, version: "v", tags: [":", "a:", ":b", "a:b:c"], runbook: huge,
        riskScore: -1, action: .hold),
      episode: .init(
        state: .opened, revision: 1, start: .min, opening: RecordPlace(topic: "t", partition: 0, offset: 0),
        opened: .min, events: 1),
      subject: .init(
        entity: "card", value: nasty + huge,
        key: [NamedScalar("pan", .string(nasty + huge)), NamedScalar("n", .double(.nan))]),
      severity: .informational, eventTime: .max, firstSeen: .min, lastSeen: .max, message: nasty,
      conditions: [.init(text: nasty, observed: .double(.infinity), threshold: .double(-.infinity))],
      values: [
        NamedScalar("big", .uint(.max)), NamedScalar("least", .int(.min)),
        NamedScalar("tiny", .double(.leastNonzeroMagnitude)),
        NamedScalar("zero", .double(-0.0)), NamedScalar("money", .decimal(.min, scale: 18)),
        NamedScalar("big", .string("again")),
      ],
      window: .init(text: "per: 1d (Europe/Berlin)", from: .min, to: .max),
      evidence: [
        .init(
          place: RecordPlace(topic: "t", partition: 0, offset: 0), eventTime: -1, sha256: digest(""),
          fields: [
            .init(name: nasty, value: .string(nasty), type: .string, entity: "card"),
            .init(name: "huge", value: .string(huge), type: .string),
            .init(name: "list", value: .list((0..<1_000).map { .int($0) }), type: .list(.int)),
            .init(name: "huge", value: .int(1), type: .int),
          ])
      ],
      hits: [
        .init(key: nasty, table: "sanctions", kind: .watchlist, version: "v", entry: "e", confidence: 101),
        .init(key: "elsewhere", table: "known", kind: .allowlist, version: "v", entry: "e", source: "http://a b"),
      ],
      traceParent: "00-00000000000000000000000000000000-b7ad6b7169203331-01")
  }()
}
