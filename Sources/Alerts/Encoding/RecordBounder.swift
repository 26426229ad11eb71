internal import Events

/// Brings a record within `AlertBounds`, and remembers whether anything was cut or left out.
struct RecordBounder {
  private(set) var isTruncated = false

  /// The record within all bounds. Ids and key are made from the record as it was.
  mutating func bounded(_ original: AlertRecord) -> AlertRecord {
    var record = original
    record.pipeline.name = text(record.pipeline.name, AlertBounds.name)
    record.pipeline.version = text(record.pipeline.version, AlertBounds.name)
    record.pipeline.productVersion = text(record.pipeline.productVersion, AlertBounds.name)
    record.rule = rule(record.rule)
    record.episode.opening = place(record.episode.opening)
    record.subject = subject(record.subject)
    record.message = text(record.message, AlertBounds.prose)
    record.conditions = first(AlertBounds.conditions, record.conditions).map { condition($0) }
    record.values = values(record.values, AlertBounds.values)
    if let window = record.window { record.window?.text = text(window.text, AlertBounds.name) }
    record.evidence = evidence(record.evidence, &record.episode)
    record.hits = first(AlertBounds.hits, record.hits).map { hit($0) }
    record.tables = tables(record.tables)
    if var crypto = record.crypto {
      crypto.chain = crypto.chain.map { text($0, AlertBounds.name) }
      crypto.asset = crypto.asset.map { text($0, AlertBounds.name) }
      crypto.address = text(crypto.address, AlertBounds.value)
      record.crypto = crypto
    }
    return record
  }

  private mutating func text(_ text: String, _ limit: Int) -> String {
    guard let cut = BoundedText.cut(text, to: limit) else { return text }
    isTruncated = true
    return cut
  }

  private mutating func first<Element>(_ limit: Int, _ elements: [Element]) -> [Element] {
    if elements.count <= limit { return elements }
    isTruncated = true
    return Array(elements.prefix(limit))
  }

  private mutating func words(_ words: [String], _ limit: Int) -> [String] {
    first(AlertBounds.words, words).map { text($0, limit) }
  }

  private mutating func place(_ place: RecordPlace) -> RecordPlace {
    RecordPlace(
      topic: text(place.topic, AlertBounds.topic), partition: place.partition, offset: place.offset)
  }

  private mutating func rule(_ original: AlertRecord.Rule) -> AlertRecord.Rule {
    var rule = original
    rule.id = text(rule.id, AlertBounds.name)
    rule.title = text(rule.title, AlertBounds.line)
    rule.description = rule.description.map { text($0, AlertBounds.prose) }
    rule.version = text(rule.version, AlertBounds.name)
    rule.crimes = words(rule.crimes, AlertBounds.name)
    rule.tags = words(rule.tags, AlertBounds.name)
    rule.references = words(rule.references, AlertBounds.line)
    rule.runbook = rule.runbook.map { text($0, AlertBounds.runbook) }
    rule.owner = rule.owner.map { text($0, AlertBounds.name) }
    return rule
  }

  private mutating func subject(_ original: AlertRecord.Subject) -> AlertRecord.Subject {
    var subject = original
    subject.entity = text(subject.entity, AlertBounds.name)
    subject.value = text(subject.value, AlertBounds.value)
    // As texts: they are parts of an id, which is made from texts.
    subject.key = values(subject.key.map { NamedScalar($0.name, .string($0.value.text)) }, AlertBounds.keyParts)
    return subject
  }

  private mutating func condition(_ original: AlertRecord.Condition) -> AlertRecord.Condition {
    var condition = original
    condition.text = text(condition.text, AlertBounds.line)
    condition.metric = condition.metric.map { text($0, AlertBounds.name) }
    condition.observed = condition.observed.map { value($0) }
    condition.comparison = condition.comparison.map { text($0, AlertBounds.name) }
    condition.threshold = condition.threshold.map { value($0) }
    condition.aggregate = condition.aggregate.map { text($0, AlertBounds.line) }
    return condition
  }

  private mutating func hit(_ original: AlertRecord.TableHit) -> AlertRecord.TableHit {
    var hit = original
    hit.field = hit.field.map { text($0, AlertBounds.name) }
    hit.key = text(hit.key, AlertBounds.value)
    hit.table = text(hit.table, AlertBounds.name)
    hit.version = text(hit.version, AlertBounds.name)
    hit.entry = text(hit.entry, AlertBounds.value)
    hit.category = hit.category.map { text($0, AlertBounds.value) }
    hit.source = hit.source.map { text($0, AlertBounds.line) }
    hit.listedOn = hit.listedOn.map { text($0, AlertBounds.name) }
    hit.entity = hit.entity.map { text($0, AlertBounds.value) }
    hit.asset = hit.asset.map { text($0, AlertBounds.name) }
    return hit
  }

  private mutating func tables(_ tables: [String: String]) -> [String: String] {
    var bounded: [String: String] = [:]
    for (name, version) in first(AlertBounds.tables, tables.sorted { $0.key < $1.key }) {
      bounded[text(name, AlertBounds.name)] = text(version, AlertBounds.name)
    }
    return bounded
  }

  /// Values of names that stand once; a name that comes again is left out, since JSON wants names unique.
  private mutating func values(_ values: [NamedScalar], _ limit: Int) -> [NamedScalar] {
    var names: Set<String> = []
    return first(limit, values).compactMap { named in
      let name = text(named.name, AlertBounds.name)
      guard names.insert(name).inserted else {
        isTruncated = true
        return nil
      }
      return NamedScalar(name, value(named.value))
    }
  }
}

extension RecordBounder {
  /// A value that takes little more than `AlertBounds.value` bytes; of a list, as many elements as fit.
  private mutating func value(_ value: Scalar) -> Scalar {
    switch value {
    case .string(let text): return .string(self.text(text, AlertBounds.value))
    case .list(let elements): return .list(list(elements, room: AlertBounds.value))
    case .decimal(_, let scale) where scale > AlertBounds.element: return .string(text(value.text, AlertBounds.value))
    default: return value
    }
  }

  private mutating func list(_ elements: [Scalar], room: Int) -> [Scalar] {
    var bounded: [Scalar] = []
    var count = 0
    for value in elements {
      let element: Scalar
      switch value {
      case .string(let text): element = .string(self.text(text, AlertBounds.element))
      case .list(let inner): element = .list(list(inner, room: room / 2))
      default: element = self.value(value)
      }
      count += Self.encodedCount(element) + 1
      guard count <= room else {
        isTruncated = true
        return bounded + [.string("… [\(elements.count) elements]")]
      }
      bounded.append(element)
    }
    return bounded
  }

  private static func encodedCount(_ value: Scalar) -> Int {
    var json = JSONWriter()
    json.element(value)
    return json.bytes.count
  }

  /// The newest items that fit, in their order, each within its own bounds.
  private mutating func evidence(
    _ items: [AlertRecord.Evidence], _ episode: inout AlertRecord.Episode
  ) -> [AlertRecord.Evidence] {
    var kept: [AlertRecord.Evidence] = []
    var count = 0
    for item in items.reversed() {
      let item = bounded(item)
      var json = JSONWriter()
      AlertBody.write(item, to: &json)
      count += json.bytes.count + 1
      if kept.count == AlertBounds.evidence || count > AlertBounds.evidenceBytes { break }
      kept.append(item)
    }
    if kept.count < items.count {
      isTruncated = true
      episode.isEvidenceTruncated = true
    }
    return kept.reversed()
  }

  private mutating func bounded(_ original: AlertRecord.Evidence) -> AlertRecord.Evidence {
    var item = original
    item.place = place(item.place)
    item.sha256 = text(item.sha256, AlertBounds.name)
    var names: Set<String> = []
    item.fields = first(AlertBounds.fields, item.fields).compactMap { field in
      let name = text(field.name, AlertBounds.name)
      guard names.insert(name).inserted else {
        isTruncated = true
        return nil
      }
      return AlertRecord.Field(
        name: name, value: value(field.value), type: field.type,
        entity: field.entity.map { text($0, AlertBounds.name) })
    }
    return item
  }
}
