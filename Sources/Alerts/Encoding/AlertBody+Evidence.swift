internal import Events

extension AlertBody {
  /// An item of `evidences`.
  static func write(_ item: AlertRecord.Evidence, to json: inout JSONWriter) {
    json.object { json in
      json.member("uid", item.place.description)
      json.member("name", "Kafka record")
      json.object("data") { json in
        writePlace(item.place, to: &json)
        json.member("sha256", item.sha256)
        json.member("event_time", milliseconds(item.eventTime))
        guard item.fields.contains(where: { $0.value != .null }) else { return }
        json.object("fields") { json in
          for field in item.fields { json.member(field.name, field.value) }
        }
      }
    }
  }

  static func writePlace(_ place: RecordPlace, to json: inout JSONWriter) {
    json.member("topic", place.topic)
    json.member("partition", place.partition)
    json.member("offset", place.offset)
  }

  /// An item of `enrichments`.
  func write(_ hit: AlertRecord.TableHit, to json: inout JSONWriter) {
    let description = [hit.entity, hit.category].compactMap { $0 }
    json.object { json in
      json.member("name", path(of: hit))
      json.member("value", hit.key)
      json.member("type", hit.kind.rawValue)
      json.member("provider", hit.table)
      json.member("short_desc", description.isEmpty ? nil : description.joined(separator: ", "))
      json.member("src_url", hit.source.flatMap { Self.isWebAddress($0) ? $0 : nil })
      json.object("data") { json in
        json.member("list", hit.table)
        json.member("list_version", hit.version)
        json.member("entry", hit.entry)
        json.member("category", hit.category)
        json.member("confidence", hit.confidence)
        json.member("source", hit.source)
        json.member("listed_on", hit.listedOn)
        json.member("entity", hit.entity)
        json.member("asset", hit.asset)
      }
    }
  }

  private static func isWebAddress(_ text: String) -> Bool {
    (text.hasPrefix("https://") || text.hasPrefix("http://")) && !text.contains(" ")
  }

  /// Where the value that was found stands in the body, newest evidence first; else the field's name, or the table's.
  private func path(of hit: AlertRecord.TableHit) -> String {
    for index in record.evidence.indices.reversed() {
      for field in record.evidence[index].fields where hit.field == nil || hit.field == field.name {
        if let suffix = Self.place(of: hit.key, in: field.value) {
          return Self.path(evidence: index, field: field.name) + suffix
        }
      }
    }
    return hit.field ?? (hit.key == record.subject.value ? Self.subjectPath : hit.table)
  }

  /// Nothing where the value is the text, `[2]` where it is an element of the value; nil where it is neither.
  private static func place(of text: String, in value: Scalar) -> String? {
    switch value {
    case .null: return nil
    case .list(let elements):
      for (index, element) in elements.enumerated() {
        if let suffix = place(of: text, in: element) { return "[\(index)]" + suffix }
      }
      return nil
    default: return value.text == text ? "" : nil
    }
  }
}
