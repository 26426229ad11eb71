internal import Configuration

/// The settings of a pipeline file. Parser, messages, the reference page and the editor's schema come from here.
enum PipelineDeclaration {
  static let second: Int64 = 1_000_000_000
  static let minute = 60 * second
  static let hour = 60 * minute
  static let day = 24 * hour

  static let root = SectionDeclaration(
    "pipeline file",
    "What one pipeline reads, how it understands it, what it looks for and where it writes.",
    [
      SettingDeclaration(
        "tocsin", .integer(1...1), "Version of this language", isRequired: true, example: "1"),
      SettingDeclaration(
        "pipeline", .text, "The pipeline's name: letters, digits, `.`, `_`, `-`; part of every alert's identity",
        isRequired: true, example: "crypto-transfers"),
      .later("include", "Tables, params and rules that several files share"),
      SettingDeclaration(
        "params", .map,
        "Thresholds and lists that stand once; expressions read them as `params.NAME`. A plain number is an int or a "
          + "double, `true` and `false` are bools, everything else and all that is quoted is text",
        example: "{ limit_usd: 10000.0 }"),
      SettingDeclaration(
        "sources", .sections(SourceDeclaration.source), "Where events come from; one", isRequired: true),
      SettingDeclaration("tables", .sections(TableSectionDeclaration.table), "Watchlists, allowlists, reference data"),
      SettingDeclaration("rules", .sectionList(RuleDeclaration.rule), "What is looked for", isRequired: true),
      SettingDeclaration("outputs", .section(outputs), "The topics that are written to", isRequired: true),
      .later("tests", "Events and the alerts they must give"),
      SettingDeclaration(
        "delivery", .choice(Delivery.allCases.map(\.rawValue)),
        "`exactly_once`: alerts and offsets in one transaction; `at_least_once`: after a crash an alert may come again, "
          + "with an equal id", default: Delivery.exactlyOnce.rawValue),
      SettingDeclaration(
        "librdkafka", .map,
        "Properties of librdkafka, passed on as they are. Those that the delivery promise rests on are refused",
        example: "{ bootstrap.servers: \"kafka:9092\", sasl.password: \"${KAFKA_PASSWORD}\" }"),
      SettingDeclaration("limits", .section(limits), "Bounds"),
      SettingDeclaration("snapshot", .section(snapshot), "How state is kept, so that a restart need not read it anew"),
      SettingDeclaration(
        "internal_topics", .choice(InternalTopics.allCases.map(\.rawValue)),
        "Topics of the pipeline's own, such as that of its state: `create` makes those that are missing; `require` wants "
          + "them there", default: InternalTopics.create.rawValue),
      SettingDeclaration(
        "exchange", .section(exchange),
        "How events come to rules whose `by` does not hold the source's key: through internal topics that are partitioned "
          + "on theirs, `PIPELINE.by-FIELD`"),
    ])

  static let snapshot = SectionDeclaration(
    "snapshot", "How state is kept, so that a restart need not read it anew.",
    [
      SettingDeclaration(
        "every", .duration(second...(6 * hour)),
        "Between two snapshots of a partition. After a crash at most so much of the input is read again", default: "30s"
      ),
      SettingDeclaration(
        "format", .integer(Int64(SnapshotCodec.formats.lowerBound)...Int64(SnapshotCodec.formats.upperBound)),
        "The format that state is written in; raise it once no older program may have to take over", default: "1"),
    ])

  static let exchange = SectionDeclaration(
    "exchange", "Exchanges: internal topics between the source and rules of other keys; see `docs/exchange.md`.",
    [
      SettingDeclaration(
        "partitions", .integer(1...10_000),
        "Partitions of each exchange's topic; as many as the source has where it is not given. It can't be changed while "
          + "the pipeline has state", example: "12"),
      SettingDeclaration(
        "lead", .duration(second...(365 * day)),
        "How far a partition of the source may run ahead of the slowest one, in event time, before it waits",
        default: "1h"),
      SettingDeclaration(
        "gather", .duration(0...(10 * second)),
        "For how long events are gathered into a block before it is sent", default: "50ms"),
    ])

  static let outputs = SectionDeclaration(
    "outputs", "The topics that are written to.",
    [
      SettingDeclaration("alerts", .section(alerts), "Alerts", isRequired: true),
      SettingDeclaration("late", .section(late), "Late events, as they came; without it they are counted only"),
      SettingDeclaration(
        "dead_letter", .section(deadLetter),
        "Records that can't be decoded, as they came, with the reason; without it they are counted only"),
      .later("shadow", "Alerts of rules on trial"),
      .later("decisions", "Recommended actions by key"),
      .later("evidence", "The events behind alerts"),
    ])

  private static let topic = SettingDeclaration(
    "topic", .text, "Name of the topic", isRequired: true, example: "alerts")

  static let alerts = SectionDeclaration(
    "alerts", "Where alerts go.",
    [
      topic,
      SettingDeclaration(
        "source", .text, "Whose alerts these are: the beginning of `ce_source`, a URI without blanks",
        default: "//localhost/tocsin", example: "//bank.example/tocsin"),
    ])

  static let late = SectionDeclaration("late", "Where late events go.", [topic])
  static let deadLetter = SectionDeclaration("dead_letter", "Where records go that can't be decoded.", [topic])

  static let limits = SectionDeclaration(
    "limits", "Bounds. What goes beyond one is counted and told.",
    [
      SettingDeclaration(
        "record_bytes", .bytes(1_024...(128 << 20)), "A record's value; a longer one is a dead letter", default: "1MiB"),
      SettingDeclaration(
        "future", .duration(0...(3_650 * day)),
        "How far an event's time may lie after its record's Kafka timestamp; one further off is a dead letter",
        default: "1d"),
      SettingDeclaration(
        "state_bytes", .bytes((1 << 20)...(1 << 40)), "Window state of one rule in one partition", default: "256MiB"),
      SettingDeclaration(
        "episodes", .integer(1...100_000_000), "Open episodes of one rule in one partition", default: "100000"),
      SettingDeclaration("batch_records", .integer(1...4_096), "Records in a batch", default: "512"),
      SettingDeclaration(
        "unsettled_bytes", .bytes((64 << 10)...(1 << 30)),
        "Outputs of one partition that wait to be committed; beyond it the partition is not read on", default: "8MiB"),
    ])
}
