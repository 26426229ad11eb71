internal import Events

/// A value of an alert that a case system looks up elsewhere.
struct Observable: Equatable {
  /// Where the value stands in the body.
  var name: String
  /// What it is, in OCSF's numbers; 99 is for what OCSF has no number for.
  var type: Classified
  /// The value.
  var value: String
}

extension Observable {
  /// What a field's value is; nil where it is nothing to look up.
  private static func type(_ type: FieldType, entity: String?) -> Classified? {
    switch type {
    case .list(let element): return Self.type(element, entity: entity)
    case .address: return Classified(99, "Crypto Address")
    case .ip: return Classified(2, "IP Address")
    default: break
    }
    switch entity {
    case nil: return nil
    case "wallet": return Classified(99, "Crypto Address")
    case "host": return Classified(1, "Hostname")
    case "ip": return Classified(2, "IP Address")
    case "user": return Classified(4, "User Name")
    case .some(let entity): return Classified(99, entity)
    }
  }

  /// The observables of a record: its subject, then the fields of its evidence, newest first; each value once.
  static func all(of record: AlertRecord) -> (list: [Observable], isTruncated: Bool) {
    let subject = type(record.subject.type, entity: record.subject.entity)
    var found: [Observable] = []
    if let subject, !record.subject.key.isEmpty {
      found.append(Observable(name: AlertBody.subjectPath, type: subject, value: record.subject.value))
    }
    for index in record.evidence.indices.reversed() {
      for field in record.evidence[index].fields {
        guard let type = type(field.type, entity: field.entity) else { continue }
        let path = AlertBody.path(evidence: index, field: field.name)
        found += values(field.value, path).map { Observable(name: $0.path, type: type, value: $0.text) }
      }
    }
    var seen: Set<[String]> = []
    let distinct = found.filter { seen.insert([$0.type.caption, $0.value]).inserted }
    return (Array(distinct.prefix(AlertBounds.observables)), distinct.count > AlertBounds.observables)
  }

  private static func values(_ value: Scalar, _ path: String) -> [(path: String, text: String)] {
    switch value {
    case .null: []
    case .list(let elements): elements.enumerated().flatMap { values($0.element, "\(path)[\($0.offset)]") }
    default: [(path, value.text)]
    }
  }
}
