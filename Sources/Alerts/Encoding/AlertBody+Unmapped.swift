internal import Events

extension AlertBody {
  /// What OCSF has no place for: the members of `unmapped.tocsin`.
  func writeUnmapped(_ json: inout JSONWriter) {
    writeEpisode(&json)
    json.list("key", record.subject.key) { json, part in
      json.object { json in
        json.member("name", part.name)
        json.member("value", part.value)
      }
    }
    json.list("conditions", record.conditions) { json, condition in Self.write(condition, to: &json) }
    writeValues(&json)
    if let window = record.window {
      json.object("window") { json in
        let (name, text) = Self.span(window.text)
        json.member(name, text)
        json.member("from", Self.milliseconds(window.from))
        json.member("to", Self.milliseconds(window.to))
      }
    }
    json.member("pipeline_version", record.pipeline.version)
    if !record.tables.isEmpty {
      json.object("tables") { json in
        for (name, version) in record.tables.sorted(by: { $0.key < $1.key }) { json.member(name, version) }
      }
    }
    json.member("owner", record.rule.owner)
    json.object("action") { json in json.member("recommended", record.rule.action.rawValue) }
    writeCrypto(&json)
  }

  private func writeEpisode(_ json: inout JSONWriter) {
    let episode = record.episode
    json.object("episode") { json in
      json.member("state", episode.state.rawValue)
      json.member("revision", episode.revision)
      json.member("opened", Self.milliseconds(episode.opened))
      json.member("events", episode.events)
      json.member("evidence_truncated", episode.isEvidenceTruncated)
      json.member("held_back", episode.heldBack)
      // A text: nanoseconds are beyond the integers that every JSON reader keeps exactly, and the id is made from them.
      json.member("start_ns", String(episode.start))
      json.object("opening_record") { json in Self.writePlace(episode.opening, to: &json) }
    }
  }

  private static func write(_ condition: AlertRecord.Condition, to json: inout JSONWriter) {
    json.object { json in
      json.member("text", condition.text)
      json.member("metric", condition.metric)
      json.member("observed", condition.observed)
      json.member("operator", condition.comparison)
      json.member("threshold", condition.threshold)
      json.member("of", condition.aggregate)
    }
  }

  private func writeValues(_ json: inout JSONWriter) {
    guard record.values.contains(where: { $0.value != .null }) else { return }
    json.object("values") { json in
      for named in record.values { json.member(named.name, named.value) }
    }
  }

  /// `over: 24h` is the member `over`; what is neither that nor `per` is a `text`.
  private static func span(_ text: String) -> (name: String, text: String) {
    for name in ["over", "per"] where text.hasPrefix(name + ": ") {
      return (name, String(text.dropFirst(name.count + 2)))
    }
    return ("text", text)
  }

  private func writeCrypto(_ json: inout JSONWriter) {
    guard let crypto = record.crypto else { return }
    json.object("crypto") { json in
      json.member("chain", crypto.chain)
      json.member("asset", crypto.asset)
      json.member("address", crypto.address)
      json.member("exposure", crypto.exposure.rawValue)
    }
  }
}
