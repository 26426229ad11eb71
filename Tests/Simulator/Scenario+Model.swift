import Events
import Pipeline

/// Whether the undisturbed run, against which everything else is held, is itself right.
extension Scenario {
  /// What the program finds otherwise than the slow model does; nil: nothing.
  func difference() -> String? {
    for partition in sources {
      let model = ReferenceModel(records(partition).compactMap(\.event))
      let late = undisturbed(partition, .late).map(\.cause)
      if late != model.late { return "\(partition): late are \(late), not \(model.late)" }
      let dead = undisturbed(partition, .deadLetter).map(\.cause)
      let rejected = records(partition).filter { $0.event == nil }.map(\.offset)
      if dead != rejected { return "\(partition): dead letters are \(dead), not \(rejected)" }
      let alerts = undisturbed(partition, .alerts).map(Self.alert)
      // Alerts of one cause and rule: by what they say.
      let expected = model.alerts
      if let place = (0..<max(alerts.count, expected.count)).first(where: {
        $0 >= alerts.count || $0 >= expected.count || alerts[$0] != expected[$0]
      }) {
        return "\(partition): alert \(place) is \(alerts.dropFirst(place).first.map { "\($0)" } ?? "missing"), not "
          + "\(expected.dropFirst(place).first.map { "\($0)" } ?? "there")"
      }
    }
    return nil
  }

  private static func alert(_ output: Output) -> ReferenceModel.Alert {
    let type = header("ce_type", output) ?? ""
    let subject = header("ce_subject", output) ?? ""
    let body = output.value ?? []
    return ReferenceModel.Alert(
      cause: output.cause, rule: text(after: "\"title\":\"", in: body),
      state: type.split(separator: ".").dropLast().last.map(String.init) ?? "",
      card: subject.hasPrefix("card:") ? String(subject.dropFirst(5)) : nil,
      count: Int(text(after: ",\"count\":", in: body)) ?? -1)
  }

  private static func header(_ name: String, _ output: Output) -> String? {
    output.headers.first { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
  }

  /// What follows the mark, up to a quote or comma.
  private static func text(after mark: String, in body: [UInt8]) -> String {
    let mark = Array(mark.utf8)
    guard let place = body.indices.first(where: { body[$0...].starts(with: mark) }) else { return "" }
    let rest = body[(place + mark.count)...].prefix { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: ",") }
    return String(decoding: rest, as: UTF8.self)
  }
}
