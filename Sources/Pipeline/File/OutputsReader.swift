internal import Configuration
internal import Expressions

/// Reads what stands about delivery: outputs, properties, limits.
struct OutputsReader {
  let context: FileContext
  private var bag: DiagnosticBag { context.bag }

  init(_ context: FileContext) { self.context = context }

  /// nil: something is wrong, and told.
  func outputs(_ file: SectionReader, sources: [SourceModel]) -> OutputsPlan? {
    guard let section = file.section("outputs") else { return nil }
    let alerts = section.section("alerts")
    let alertTopic = alerts.flatMap { context.topic($0) }
    let source = alerts.map { alertSource($0) }
    let late = section.section("late").flatMap { context.topic($0) }
    let deadLetter = section.section("dead_letter").flatMap { context.topic($0) }
    checkTopics([alertTopic, late, deadLetter].compactMap { $0 }, sources)
    guard let alertTopic, let source else { return nil }
    return OutputsPlan(
      alerts: alertTopic.text, alertSource: source, late: late?.text, deadLetter: deadLetter?.text)
  }

  private func checkTopics(_ topics: [LocatedText], _ sources: [SourceModel]) {
    var seen: Set<String> = []
    for topic in topics {
      if sources.contains(where: { $0.topic?.text == topic.text }) {
        bag.error(topic.range, "`\(topic.text)` is the source's topic: the pipeline would read what it writes")
      } else if !seen.insert(topic.text).inserted {
        bag.error(topic.range, "`\(topic.text)` is the topic of another output", hint: "give each one of its own")
      }
    }
  }

  private func alertSource(_ section: SectionReader) -> String {
    guard let source = section.text("source") else { return "//localhost/tocsin" }
    let trimmed = String(source.text.reversed().drop { $0 == "/" }.reversed())
    let isRight =
      !trimmed.isEmpty && source.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}".utf8.contains($0) }
    if !isRight || source.text.utf8.count > 500 {
      bag.error(
        source.range, "`\(source.text)` is no source of alerts",
        hint: "a URI without blanks, at most 500 bytes long, such as //bank.example/tocsin")
    }
    return trimmed
  }

  func delivery(_ file: SectionReader) -> Delivery {
    guard file.has("delivery") else { return .exactlyOnce }
    return file.choice("delivery").flatMap(Delivery.init(rawValue:)) ?? .exactlyOnce
  }

  func snapshot(_ file: SectionReader) -> SnapshotPlan {
    var snapshot = SnapshotPlan()
    guard let section = file.section("snapshot") else { return snapshot }
    if let every = section.duration("every") { snapshot.every = every }
    if let format = section.integer("format") { snapshot.format = Int(format) }
    return snapshot
  }

  func internalTopics(_ file: SectionReader) -> InternalTopics {
    guard file.has("internal_topics") else { return .create }
    return file.choice("internal_topics").flatMap(InternalTopics.init(rawValue:)) ?? .create
  }

  func exchange(_ file: SectionReader) -> ExchangeSettings {
    var settings = ExchangeSettings()
    guard let section = file.section("exchange") else { return settings }
    settings.partitions = section.integer("partitions").map(Int.init)
    if let lead = section.duration("lead") { settings.lead = lead }
    if let gather = section.duration("gather") { settings.gather = gather }
    return settings
  }

  func limits(_ file: SectionReader) -> PipelineLimits {
    var limits = PipelineLimits()
    guard let section = file.section("limits") else { return limits }
    if let bytes = section.bytes("record_bytes") { limits.recordBytes = Int(bytes) }
    if let future = section.duration("future") { limits.future = future }
    if let bytes = section.bytes("state_bytes") { limits.stateBytes = Int(bytes) }
    if let episodes = section.integer("episodes") { limits.episodes = Int(episodes) }
    if let records = section.integer("batch_records") { limits.batchRecords = Int(records) }
    if let bytes = section.bytes("unsettled_bytes") { limits.unsettledBytes = Int(bytes) }
    return limits
  }
}
