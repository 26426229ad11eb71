internal import Configuration
internal import Events

/// The settings of a rule.
enum RuleDeclaration {
  private typealias Base = PipelineDeclaration
  static let updateEvery = 5 * PipelineDeclaration.minute
  static let longest = 3_660 * PipelineDeclaration.day

  static let rule = SectionDeclaration(
    "rule",
    "An event rule has `where` alone; a window rule has `by`, `over` or `per`, `let` and `condition`. `where`, `except` and "
      + "what stands inside an aggregate's parentheses are about one event, as is every expression of an event rule; "
      + "`let`, `condition`, `severity` and `message` of a window rule read the names of `let` and `by`, and the event "
      + "that just came as `event.x`.",
    about + watching + telling + later)

  private static let about = [
    SettingDeclaration(
      "id", .text, "The rule's name: letters, digits, `.`, `_`, `-`; part of every alert's identity", isRequired: true,
      example: "structuring"),
    SettingDeclaration("title", .text, "A few words", default: "the id"),
    SettingDeclaration("description", .text, "What it is about"),
    SettingDeclaration("mode", .choice(["alert", "off"]), "`off`: it is checked, but does not run", default: "alert"),
    SettingDeclaration("tags", .texts, "Free words", example: "[attack.t1110]"),
    SettingDeclaration("crime", .texts, "The crimes it points at", example: "[money-laundering]"),
    SettingDeclaration("references", .texts, "Addresses to read on"),
    SettingDeclaration("runbook", .text, "What to do about an alert"),
    SettingDeclaration("owner", .text, "Who answers for it"),
  ]

  private static let watching = [
    SettingDeclaration("source", .text, "The source whose events it watches", default: "the one there is"),
    SettingDeclaration("where", .expressions, "Which events", example: "usd >= 1000"),
    SettingDeclaration(
      "by", .custom(shape: "field, or list of fields"),
      "Whose events stand together; the first is the alert's subject. Where the source's `key` is not among them, events go "
        + "to the rule through an exchange. An event that lacks one of them does not enter", example: "[from, asset]"),
    SettingDeclaration("except", .sectionList(exception), "Events that are let through all the same, and counted"),
    SettingDeclaration(
      "over", .duration(Base.second...longest), "The window: so long, up to each event", example: "24h"),
    SettingDeclaration(
      "per", .custom(shape: "duration, 1s to 366d, or `1d`, `1w`, `1mo` of the calendar"),
      "Instead of `over`: windows one after the other. `1d`, `1w` (from Monday) and `1mo` are the calendar's, all others "
        + "count from 1970-01-01T00:00:00Z", example: "1d"),
    SettingDeclaration(
      "zone", .text, "With `per: 1d`, `1w`, `1mo`: the time zone of the calendar", default: "UTC",
      example: "Europe/Berlin"),
    SettingDeclaration(
      "let", .custom(shape: "NAME: expression with aggregates"), "What is computed over the window's events",
      example: "{ n: count(), total: sum(usd) }"),
    SettingDeclaration("condition", .expressions, "When that is an alert; looked at on each event", example: "n >= 3"),
    SettingDeclaration(
      "for", .duration(0...longest), "How long the condition must have held before an alert opens", default: "0s"),
    SettingDeclaration(
      "keep_firing_for", .duration(0...longest),
      "How long the condition must have been false before an alert closes, in event time", default: "0s"),
    SettingDeclaration(
      "update_every", .duration(Base.second...longest), "The shortest time between two updates of an alert",
      default: "5m"),
  ]

  private static let telling = [
    SettingDeclaration(
      "severity",
      .custom(shape: Severity.allCases.map { "`\($0.name)`" }.joined(separator: ", ") + ", or a ladder"),
      "How grave. Of a ladder the highest step that holds counts (`informational` where none does); it may rise while "
        + "the alert is open", default: "medium", example: "{ medium: \"true\", high: \"n >= 6\" }"),
    SettingDeclaration("risk", .integer(0...100), "Points of risk that an alert stands for"),
    SettingDeclaration(
      "action", .choice(RuleDescription.Action.allCases.map(\.rawValue)), "What is recommended", default: "none"),
    SettingDeclaration(
      "message", .custom(shape: "text with expressions in braces"),
      "The sentence a person reads; `{{` is a plain brace. Environment variables are not put in", default: "the title",
      example: "\"{n} transfers, {total} USD\""),
    SettingDeclaration(
      "evidence", .integer(0...100), "How many events an alert carries; 0: only where the causing one stands",
      default: "10"),
  ]

  /// Keys of kinds of rules that are not built: with one of them the rule is none of those that are.
  static let laterKinds: Set<String> = ["new_terms", "sequence", "score"]

  private static let later: [SettingDeclaration] = [
    .later("new_terms", "Values that a key never had before"),
    .later("history", "Where state comes from that the topic no longer holds"),
    .later("warm_up", "How long a key is silent at first"),
    .later("sequence", "Events one after the other"),
    .later("maxspan", "The longest time of a sequence"),
    .later("until", "What ends a sequence"),
    .later("score", "Risk added up"),
    .later("baseline", "What is usual"),
    .later("at", "Looking at a window once, when it closes"),
    .later("tests", "Events and the alerts they must give"),
  ]

  static let exception = SectionDeclaration(
    "exception", "Events that a rule lets through, and why.",
    [
      SettingDeclaration("where", .expressions, "Which events", isRequired: true, example: "from in exchanges"),
      SettingDeclaration("reason", .text, "Why", isRequired: true, example: "exchange hot wallets"),
      SettingDeclaration(
        "until", .text, "A date (through that day, UTC) or an RFC 3339 time, of events; after it the exception is over",
        default: "no end", example: "2027-06-30"),
      SettingDeclaration("ticket", .text, "The ticket that allows it", example: "FC-118"),
    ])
}
