internal import Events

/// The body of an alert: an OCSF Detection Finding. Member by member it is written in a fixed order.
struct AlertBody {
  /// The version of OCSF that the body follows.
  static let ocsfVersion = "1.8.0"
  /// OCSF's number of the class Detection Finding.
  static let classUID = 2004
  /// Where the subject stands in the body.
  static let subjectPath = "resources[0].uid"

  /// Within its bounds.
  let record: AlertRecord
  let id: String
  let episode: String
  let observables: [Observable]
  /// Whether something was cut or left out.
  let isTruncated: Bool

  init(_ record: AlertRecord, id: String, episode: String) {
    var bounder = RecordBounder()
    self.record = bounder.bounded(record)
    self.id = id
    self.episode = episode
    let (observables, isTruncated) = Observable.all(of: self.record)
    self.observables = observables
    self.isTruncated = isTruncated || bounder.isTruncated
  }

  /// Where a field of an evidence item stands in the body.
  static func path(evidence index: Int, field: String) -> String { "evidences[\(index)].data.fields.\(field)" }

  /// OCSF's times are milliseconds since 1970.
  static func milliseconds(_ nanoseconds: Int64) -> Int64 { floorDivide(nanoseconds, 1_000_000).quotient }

  func bytes() -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      writeClass(&json)
      writeOccurrence(&json)
      writeLevels(&json)
      writeMetadata(&json)
      writeFindingInfo(&json)
      writeResources(&json)
      writeObservables(&json)
      json.list("evidences", record.evidence) { json, item in Self.write(item, to: &json) }
      json.list("enrichments", record.hits) { json, hit in write(hit, to: &json) }
      writeRemediation(&json)
      json.object("unmapped") { json in
        json.object("tocsin") { json in writeUnmapped(&json) }
      }
    }
    return json.bytes
  }

  private func writeClass(_ json: inout JSONWriter) {
    let activity = record.episode.state.activity
    json.member("class_uid", Self.classUID)
    json.member("class_name", "Detection Finding")
    json.member("category_uid", 2)
    json.member("category_name", "Findings")
    json.member("activity_id", activity.id)
    json.member("activity_name", activity.caption)
    json.member("type_uid", Self.classUID * 100 + activity.id)
    json.member("type_name", "Detection Finding: \(activity.caption)")
    json.member("severity_id", record.severity.rawValue)
    json.member("severity", record.severity.caption)
    // In OCSF the status is the consumer's: whether somebody has looked. A close says that the behaviour ended, not that.
    json.member("status_id", 1)
    json.member("status", "New")
    json.member("is_alert", record.episode.state != .closed)
  }

  private func writeOccurrence(_ json: inout JSONWriter) {
    json.member("time", Self.milliseconds(record.episode.opened))
    json.member("start_time", Self.milliseconds(record.firstSeen))
    json.member("end_time", Self.milliseconds(record.lastSeen))
    json.member("count", record.episode.events)
    json.member("message", record.message)
  }

  private func writeLevels(_ json: inout JSONWriter) {
    if let confidence = record.confidence {
      let level = Level.confidence(confidence)
      json.member("confidence_id", level.id)
      json.member("confidence", level.caption)
      json.member("confidence_score", confidence)
    }
    if let score = record.rule.riskScore {
      let level = Level.risk(score)
      json.member("risk_score", score)
      json.member("risk_level_id", level.id)
      json.member("risk_level", level.caption)
    }
  }

  private func writeMetadata(_ json: inout JSONWriter) {
    json.object("metadata") { json in
      json.member("version", Self.ocsfVersion)
      json.member("uid", id)
      json.member("correlation_uid", episode)
      json.member("sequence", record.episode.revision)
      json.member("is_truncated", isTruncated)
      json.object("product") { json in
        json.member("name", "Tocsin")
        json.member("vendor_name", "Tocsin")
        json.member("version", record.pipeline.productVersion)
        json.object("feature") { json in
          json.member("name", record.pipeline.name)
          json.member("version", record.pipeline.version)
        }
      }
    }
  }

  private func writeFindingInfo(_ json: inout JSONWriter) {
    let rule = record.rule
    json.object("finding_info") { json in
      json.member("uid", episode)
      json.member("title", rule.title)
      json.member("desc", rule.description)
      json.list("types", rule.crimes)
      json.member("created_time", Self.milliseconds(record.episode.opened))
      json.member("modified_time", Self.milliseconds(record.eventTime))
      json.member("first_seen_time", Self.milliseconds(record.firstSeen))
      json.member("last_seen_time", Self.milliseconds(record.lastSeen))
      json.list("data_sources", ["kafka:\(record.episode.opening.topic)"])
      let tags = rule.crimes.map { (name: "crime", value: $0) } + rule.tags.map(Self.tag)
      json.list("tags", tags) { json, tag in
        json.object { json in
          json.member("name", tag.name)
          json.member("value", tag.value)
        }
      }
      json.object("analytic") { json in
        json.member("uid", "\(record.pipeline.name)/\(rule.id)")
        json.member("name", rule.id)
        json.member("version", rule.version)
        json.member("type_id", 1)
        json.member("type", "Rule")
        json.member("state_id", 1)
      }
      json.member("related_events_count", record.episode.events)
    }
  }

  /// `tlp:AMBER` has a name; a word alone is a `tag`.
  private static func tag(_ text: String) -> (name: String, value: String) {
    guard let colon = text.firstIndex(of: ":"), colon > text.startIndex, text.index(after: colon) < text.endIndex
    else { return ("tag", text) }
    return (String(text[..<colon]), String(text[text.index(after: colon)...]))
  }

  private func writeResources(_ json: inout JSONWriter) {
    let subject = record.subject
    json.list("resources", [subject]) { json, subject in
      json.object { json in
        json.member("uid", subject.value)
        json.member("type", subject.entity)
        json.member("name", subject.value)
        // Actor: whose behaviour it is. A single event (a rule without `by`) acts on nothing: it is Related.
        json.member("role_id", subject.key.isEmpty ? 4 : 2)
      }
    }
  }

  private func writeObservables(_ json: inout JSONWriter) {
    json.list("observables", observables) { json, observable in
      json.object { json in
        json.member("name", observable.name)
        json.member("type_id", observable.type.id)
        json.member("type", observable.type.caption)
        json.member("value", observable.value)
      }
    }
  }

  private func writeRemediation(_ json: inout JSONWriter) {
    guard record.rule.runbook != nil || !record.rule.references.isEmpty else { return }
    json.object("remediation") { json in
      // OCSF wants a text here, also where the rule has references only.
      json.member("desc", record.rule.runbook ?? "See the references.")
      json.list("references", record.rule.references)
    }
  }
}
