internal import Configuration
internal import Detection
internal import Events
internal import Expressions
internal import Tables

/// Reads a whole file, part by part: each part says all that is wrong with it, whatever is wrong with the others.
struct PipelineFileReader {
  private let root: YAMLNode
  private let bytes: [UInt8]
  private let context: FileContext
  private let expressions: ExpressionReader
  private let propertyCheck: PropertyCheck?
  private var bag: DiagnosticBag { context.bag }

  init(
    _ root: YAMLNode, bytes: [UInt8], path: String, bag: DiagnosticBag, variables: EnvironmentText,
    propertyCheck: PropertyCheck?
  ) {
    self.root = root
    self.bytes = bytes
    self.propertyCheck = propertyCheck
    expressions = ExpressionReader(bag: bag, source: bytes)
    var hasInclude = false
    if case .mapping(let mapping) = root { hasInclude = mapping["include"] != nil }
    context = FileContext(
      bag: bag, variables: variables, expressions: expressions,
      directory: path.lastIndex(of: "/").map { String(path[...$0]) } ?? "", isIncomplete: hasInclude)
  }

  /// The plan, or nil where something is wrong; and the tables that can be loaded, whatever is wrong with the rest.
  func read() -> (plan: PipelinePlan?, tables: [TableModel]) {
    let file = SectionReader(root, PipelineDeclaration.root, bag: bag, environment: context.variables)
    guard case .mapping = root else { return (nil, []) }
    let tables = readTables(file)
    return (plan(file, tables), tables.filter { $0.source != nil })
  }

  private func plan(_ file: SectionReader, _ tables: [TableModel]) -> PipelinePlan? {
    checkVersion(file)
    let name = readName(file)
    let params = ParamsReader(file, context)
    let sources = readSources(file, params, tables)
    let rules = readRules(file, sources)
    let outputs = OutputsReader(context)
    let topics = outputs.outputs(file, sources: sources)
    let delivery = outputs.delivery(file)
    let propertiesReader = PropertiesReader(context: context, check: propertyCheck)
    let properties = propertiesReader.read(file)
    checkPropertiesPlace(file)
    let limits = outputs.limits(file)
    let snapshot = outputs.snapshot(file)
    let internalTopics = outputs.internalTopics(file)
    let exchange = outputs.exchange(file)
    if !context.isIncomplete {
      UseChecks(root, context).warn(params: params.names, tables: tables.map(\.name))
    }
    expressions.tellSkipped()
    guard !bag.hasErrors, let name, let source = sources.first, let topic = source.topic, let schema = source.schema,
      let topics
    else { return nil }
    let running = rules.filter(\.isOn)
    var plan = PipelinePlan(
      name: name, version: "sha256:" + SHA256.hex(bytes),
      source: SourcePlan(
        name: source.name.text, topic: topic.text, key: source.key?.text, outOfOrder: source.outOfOrder,
        idle: source.idle), schema: schema, derived: source.derived, tables: tables.compactMap(\.source),
      rules: running.map(\.plan), descriptions: running.map(\.description), identities: running.map(\.identity),
      outputs: topics, delivery: delivery, properties: properties, limits: limits,
      expressions: expressions.explained, snapshot: snapshot, internalTopics: internalTopics)
    plan.exchange = exchange
    checkExchanges(plan, file)
    if !bag.hasErrors { propertiesReader.checkTogether(plan, file) }
    return bag.hasErrors ? nil : plan
  }

  /// The file is kept without its properties where other processes read it.
  private func checkPropertiesPlace(_ file: SectionReader) {
    guard file.has(PropertiesReader.section), PipelineFile.withoutProperties(bytes) == nil else { return }
    bag.error(
      file.keyRange(PropertiesReader.section),
      "`librdkafka` must begin a line: what stands under it may be secret, and is left out of the copy that is kept in Kafka",
      hint: "begin the keys of the file's outermost level in column 1, without { } around them")
  }

  /// The topics of exchanges take their names from the file, and must be nobody else's.
  private func checkExchanges(_ plan: PipelinePlan, _ file: SectionReader) {
    let others = [plan.source.topic, plan.outputs.alerts, plan.outputs.late, plan.outputs.deadLetter].compactMap { $0 }
    for exchange in Topology(plan).exchanges {
      for rule in exchange.plan.rules { checkOrder(rule, plan, file) }
      if !WordChecks.isTopic("\(exchange.topic).state") {
        bag.error(
          file.keyRange("pipeline"),
          "the rule `\(exchange.plan.rules[0].id)` needs a topic `\(exchange.topic)`, and Kafka takes no such name",
          hint: "at most 249 bytes: give the pipeline, or the fields of the rule's key, a shorter name")
      } else if others.contains(exchange.topic) {
        bag.error(
          file.keyRange("pipeline"),
          "`\(exchange.topic)` is the exchange for the rule `\(exchange.plan.rules[0].id)`, and the file gives the name to "
            + "another topic")
      }
    }
  }

  /// Behind an exchange, partitions of the source come together that may lie `exchange.lead` apart in event time: a trailing
  /// window, which is looked at when an event comes and ends with that event, would not see what came before but lies after.
  private func checkOrder(_ rule: RulePlan, _ plan: PipelinePlan, _ file: SectionReader) {
    guard case .window(let window) = rule.kind, case .trailing(let span, _) = window.span, span < plan.exchange.lead,
      let section = file.sectionList("rules").first(where: { $0.text("id")?.text == rule.id })
    else { return }
    bag.error(
      section.keyRange("over"),
      "the rule `\(rule.id)` has another key than its source, and its window is shorter than partitions of the source may "
        + "lie apart (`exchange.lead`): it would miss events that come out of order",
      hint: "use `per`, which minds no order, or set a smaller `exchange: { lead: ... }`")
  }

  private func checkVersion(_ file: SectionReader) {
    guard let version = file.text("tocsin"), version.text != "1" else { return }
    bag.error(version.range, "this version reads `tocsin: 1`, not `\(version.text)`")
  }

  private func readName(_ file: SectionReader) -> String? {
    guard let name = file.text("pipeline") else { return nil }
    guard WordChecks.isID(name.text) else {
      bag.error(name.range, "`\(name.text)` is no pipeline's name", hint: "letters, digits, `.`, `_`, `-`")
      return nil
    }
    return name.text
  }

  private func readTables(_ file: SectionReader) -> [TableModel] {
    let sections = file.sections("tables")
    if sections.count > TableReader.tableLimit {
      bag.error(sections[TableReader.tableLimit].name.range, "a file has at most \(TableReader.tableLimit) tables")
    }
    return sections.prefix(TableReader.tableLimit).map { TableReader($0.name, $0.section, context).read() }
  }

  private func readSources(_ file: SectionReader, _ params: ParamsReader, _ tables: [TableModel]) -> [SourceModel] {
    let sections = file.sections("sources")
    if sections.isEmpty, let node = file.node("sources"), !node.isRefused {
      if case .mapping = node {
        bag.error(node.range, "`sources` is empty: a pipeline needs one")
      } else if node.isNull {
        bag.error(node.range, "`sources` is a map of names, not nothing")
      }
    }
    return sections.enumerated().map { number, entry in
      if number > 0 { bag.error(entry.name.range, "several sources are not supported by this version") }
      return SourceReader(entry.section, context).read(entry.name, params: params, tables: tables)
    }
  }

  private func readRules(_ file: SectionReader, _ sources: [SourceModel]) -> [RuleModel] {
    let sections = file.sectionList("rules")
    guard case .sequence(let list)? = file.node("rules") else { return [] }
    if sections.isEmpty { bag.error(list.range, "`rules` is empty: a pipeline needs a rule") }
    if sections.count > RuleReader.ruleLimit {
      bag.error(sections[RuleReader.ruleLimit].range, "a file has at most \(RuleReader.ruleLimit) rules")
    }
    var lines: [String: Int] = [:]
    let rules = zip(sections, list.elements).prefix(RuleReader.ruleLimit).compactMap { section, node in
      let id = readID(section, &lines)
      return RuleReader(section, node: node, id: id, source: source(of: section, sources), context).read()
    }
    warnOfMissingKey(sections, sources)
    return rules
  }

  private func readID(_ section: SectionReader, _ lines: inout [String: Int]) -> LocatedText? {
    guard let id = section.text("id") else { return nil }
    guard WordChecks.isID(id.text) else {
      bag.error(id.range, "`\(id.text)` is no rule's id", hint: "letters, digits, `.`, `_`, `-`")
      return nil
    }
    if let line = lines[id.text] {
      bag.error(id.range, "the rule `\(id.text)` stands twice; the first time on line \(line)")
    } else {
      lines[id.text] = id.range.line
    }
    return id
  }

  /// nil: it is not clear which one, or it is told.
  private func source(of section: SectionReader, _ sources: [SourceModel]) -> SourceModel? {
    guard section.has("source") else { return sources.count == 1 ? sources[0] : nil }
    guard let name = section.text("source") else { return nil }
    if let found = sources.first(where: { $0.name.text == name.text }) { return found }
    let nearest = NearestName.find(name.text, among: sources.map(\.name.text)).map { "did you mean `\($0)`?" }
    bag.error(name.range, "there is no source `\(name.text)`", hint: nearest)
    return nil
  }

  private func warnOfMissingKey(_ sections: [SectionReader], _ sources: [SourceModel]) {
    guard sources.count == 1, !sources[0].givesKey, let first = sections.first(where: { $0.has("by") }) else { return }
    bag.warning(
      first.keyRange("by"), "the source `\(sources[0].name.text)` does not say what its topic is partitioned on",
      hint: "rules with `by` are right only where all events of a key are in one partition: give the source its `key`")
  }
}
