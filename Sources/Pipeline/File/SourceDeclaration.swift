internal import Configuration

/// The settings of a source and its fields.
enum SourceDeclaration {
  static let outOfOrder = 5 * PipelineDeclaration.second
  static let idle = 30 * PipelineDeclaration.second

  static let source = SectionDeclaration(
    "source", "A topic and the events in it.",
    [
      SettingDeclaration("topic", .text, "The topic", isRequired: true, example: "transfers"),
      SettingDeclaration("format", .choice(["json"]), "How a record's value is written", isRequired: true),
      SettingDeclaration(
        "key", .text,
        "The field that the topic is partitioned on. Rules whose `by` holds it run where events are read; to the others, events "
          + "go through an exchange", example: "from"),
      SettingDeclaration("time", .section(time), "How events stand in time", isRequired: true),
      SettingDeclaration("fields", .sections(field), "The fields of an event", isRequired: true),
      .later("explode", "A list in the record of which each element is an event"),
    ])

  static let time = SectionDeclaration(
    "time", "How events stand in time.",
    [
      SettingDeclaration(
        "field", .text, "The field with the event's time: of a timestamp type, read from the record, and required",
        isRequired: true, example: "ts"),
      SettingDeclaration(
        "out_of_order", .duration(0...(7 * PipelineDeclaration.day)),
        "How far behind the latest time seen an event may lie and still count; beyond it, it is late", default: "5s"),
      SettingDeclaration(
        "idle", .duration(PipelineDeclaration.second...(7 * PipelineDeclaration.day)),
        "After so long without a record a partition is taken for idle", default: "30s"),
    ])

  static let field = SectionDeclaration(
    "field", "A field of an event; see `docs/fields.md`.",
    [
      SettingDeclaration(
        "at", .text,
        "Where it stands: a JSON Pointer, or `$key`, `$headers/NAME`, `$topic`, `$partition`, `$offset`, `$timestamp`",
        example: "/payment/amount"),
      SettingDeclaration(
        "value", .custom(shape: "expression"), "Instead of `at`: computed from the other fields, once an event",
        example: "\"double(amount) * rates[asset].usd\""),
      SettingDeclaration(
        "type",
        .custom(
          shape: "`string`, `int`, `double`, `bool`, `decimal(N)`, `timestamp_s`, `_ms`, `_us`, `_ns`, `_rfc3339`, "
            + "`address`, `ip`, `list(TYPE)`"),
        "Its type", isRequired: true, example: "decimal(2)"),
      SettingDeclaration(
        "optional", .flag, "Whether an event may lack it; `has(event.x)` asks. Else such an event is a dead letter",
        default: "false"),
      SettingDeclaration(
        "default", .custom(shape: "value of the field's type"), "What stands in where it is missing or null",
        example: "false"),
      SettingDeclaration(
        "entity", .text, "The kind of thing it names: an alert's subject and observables", example: "wallet"),
    ])
}
