internal import Alerts
internal import Detection
internal import Events
internal import Expressions
internal import Tables

/// Turns what was found, what was late and what failed into the records that are written.
final class AlertStage {
  /// Bytes of an alert's body from which on a smaller one, with less evidence, is kept at hand should the topic refuse it.
  private static let largeBody = 32 << 10

  private let plan: PipelinePlan
  /// The topic that the events' own records stand in.
  private let topic: String
  private let pipeline: AlertRecord.Pipeline
  private let tables: [TableSnapshot]
  private let versions: [String: String]
  private let encoder = AlertEncoder()

  init(_ plan: PipelinePlan, topic: String, tables: [TableSnapshot], productVersion: String) {
    self.plan = plan
    self.topic = topic
    self.tables = tables
    pipeline = AlertRecord.Pipeline(
      name: plan.name, version: plan.version, productVersion: productVersion, alertSource: plan.outputs.alertSource)
    versions = Dictionary(tables.map { ($0.name, $0.version) }) { first, _ in first }
  }

  /// The outputs of a batch by the offset that caused them; those caused before `muted` are left out.
  func run(_ batch: EventBatch, findings: [Finding], late: Selection, muted: Int64) -> [Output] {
    var outputs: [Output] = []
    for failure in batch.failures {
      guard plan.outputs.deadLetter != nil, batch.records[failure.row].offset >= muted else { continue }
      outputs.append(RejectedRecord.deadLetter(failure, batch))
    }
    if plan.outputs.late != nil {
      for row in late.indices where batch.records[row].offset >= muted {
        outputs.append(RejectedRecord.late(row, batch))
      }
    }
    for finding in findings where finding.cause >= muted { outputs.append(alert(finding, batch)) }
    guard outputs.count > 1 else { return outputs }
    return outputs.enumerated().sorted { ($0.element.cause, $0.offset) < ($1.element.cause, $1.offset) }.map(\.element)
  }

  private func alert(_ finding: Finding, _ batch: EventBatch) -> Output {
    let record = record(finding, batch)
    let encoded = encoder.encode(record)
    var substitute: Output.Substitute?
    if encoded.body.count > Self.largeBody {
      var less = record
      less.evidence = record.evidence.suffix(1)
      less.episode.isEvidenceTruncated = true
      let small = encoder.encode(less)
      substitute = Output.Substitute(value: small.body, headers: small.headers)
    }
    return Output(
      .alerts, key: encoded.key, value: encoded.body, headers: encoded.headers, cause: finding.cause,
      substitute: substitute)
  }

  // MARK: The record

  private func record(_ finding: Finding, _ batch: EventBatch) -> AlertRecord {
    let rule = plan.rules[finding.rule]
    let description = plan.descriptions[finding.rule]
    let hits = finding.hits.map(hit)
    let subject = subject(finding, rule, description)
    return AlertRecord(
      pipeline: pipeline, rule: self.rule(description), episode: episode(finding, rule), subject: subject,
      severity: finding.episode.severity, eventTime: finding.time, firstSeen: finding.episode.firstSeen,
      lastSeen: finding.episode.lastSeen, message: finding.message, conditions: finding.observations.map(condition),
      values: finding.values.compactMap { value in value.value.map { NamedScalar(value.name, $0) } },
      window: finding.window.map {
        AlertRecord.Window(text: description.window ?? "", from: $0.start, to: $0.end)
      },
      evidence: finding.evidence.map { evidence($0, finding.episode.key, rule) }, hits: hits, tables: versions,
      traceParent: traceParent(finding.order, batch), crypto: crypto(hits, subject))
  }

  private func rule(_ description: RuleDescription) -> AlertRecord.Rule {
    AlertRecord.Rule(
      id: description.id, title: description.title, description: description.description,
      version: description.version, crimes: description.crimes, tags: description.tags,
      references: description.references, runbook: description.runbook, owner: description.owner,
      riskScore: description.risk, action: AlertRecord.Rule.Action(rawValue: description.action.rawValue) ?? .none)
  }

  private func episode(_ finding: Finding, _ rule: RulePlan) -> AlertRecord.Episode {
    let state = finding.episode
    let transition: AlertRecord.Episode.State =
      switch finding.transition {
      case .opened: .opened
      case .updated: .updated
      case .closed: .closed
      }
    return AlertRecord.Episode(
      state: transition, revision: state.revision + 1, start: state.opened, opening: place(state.opening),
      opened: state.opened, events: Int(state.eventCount), heldBack: Int(state.heldBack),
      isEvidenceTruncated: state.eventCount > Int64(finding.evidence.count))
  }

  private func place(_ origin: EventOrigin) -> RecordPlace {
    RecordPlace(topic: topic, partition: origin.partition, offset: origin.offset)
  }

  private func subject(
    _ finding: Finding, _ rule: RulePlan, _ description: RuleDescription
  ) -> AlertRecord.Subject {
    guard let first = rule.keySlots.first, let value = finding.episode.key.first else {
      let opening = finding.episode.opening
      let place = "\(topic)/\(opening.partition)/\(opening.offset)"
      return AlertRecord.Subject(entity: description.entity, value: place, key: [])
    }
    let names = rule.keySlots.map { plan.schema.fields[$0].name }
    return AlertRecord.Subject(
      entity: description.entity, value: value.text, type: plan.schema.fields[first].type,
      key: zip(names, finding.episode.key).map { NamedScalar($0, $1) })
  }

  private func condition(_ observation: Observation) -> AlertRecord.Condition {
    AlertRecord.Condition(
      text: observation.text, metric: observation.metric, observed: observation.observed,
      comparison: observation.operator, threshold: observation.threshold, aggregate: observation.of)
  }

  /// An earlier event keeps none of its fields, but has the key in common with the one that caused the alert.
  private func evidence(_ evidence: Evidence, _ key: [Scalar], _ rule: RulePlan) -> AlertRecord.Evidence {
    let common = zip(rule.keySlots, key).map { Evidence.FieldValue(slot: $0, value: $1) }
    let fields = evidence.fields.isEmpty ? common : evidence.fields
    return AlertRecord.Evidence(
      place: place(evidence.origin), eventTime: evidence.time, sha256: SHA256.hexDigits(evidence.digest),
      fields: fields.map { field in
        let declaration = plan.schema.fields[field.slot]
        return AlertRecord.Field(
          name: declaration.name, value: field.value, type: declaration.type, entity: declaration.entity)
      })
  }

  private func hit(_ hit: Expressions.TableHit) -> AlertRecord.TableHit {
    let table = tables[hit.table]
    let provenance = table.provenance(entry: hit.entry)
    var asset: String?
    if let column = table.columns.firstIndex(where: { $0.name == "asset" }),
      case .string(let text)? = table.value(entry: hit.entry, column: column)
    {
      asset = text
    }
    return AlertRecord.TableHit(
      field: hit.field, key: hit.key, table: table.name, kind: kind(table.kind), version: table.version,
      entry: provenance.entry, category: provenance.category, confidence: provenance.confidence,
      source: provenance.source, listedOn: provenance.listedOn, entity: provenance.entity, asset: asset)
  }

  private func kind(_ kind: TableKind) -> AlertRecord.TableHit.Kind {
    switch kind {
    case .watchlist: .watchlist
    case .allowlist: .allowlist
    case .reference: .reference
    }
  }

  private func traceParent(_ order: Int64, _ batch: EventBatch) -> String? {
    guard let row = batch.records.row(ofOrder: order),
      case .value(let value) = batch.records.header(row, named: Self.traceHeader)
    else { return nil }
    return value.string
  }

  private static let traceHeader = Array("traceparent".utf8)

  /// What is known of the crypto address that the alert is about: the listed one, else the subject.
  private func crypto(_ hits: [AlertRecord.TableHit], _ subject: AlertRecord.Subject) -> AlertRecord.Crypto? {
    let listed = hits.first { hit in hit.kind == .watchlist && (isKeyedByAddress(hit.table) || isAddress(hit.field)) }
    if let listed {
      return AlertRecord.Crypto(
        chain: AddressFamily(of: listed.key)?.chain, asset: listed.asset, address: listed.key, exposure: .direct)
    }
    guard subject.type == .address else { return nil }
    return AlertRecord.Crypto(
      chain: AddressFamily(of: subject.value)?.chain, address: subject.value, exposure: .direct)
  }

  private func isKeyedByAddress(_ table: String) -> Bool { tables.first { $0.name == table }?.keyKind == .address }

  private func isAddress(_ field: String?) -> Bool {
    field.flatMap { plan.schema.slot(of: $0) }.map { plan.schema.fields[$0].type == .address } ?? false
  }
}
