internal import Configuration

/// Reads `librdkafka`: what is passed on to librdkafka as it is.
struct PropertiesReader {
  static let section = "librdkafka"
  let context: FileContext
  let check: PropertyCheck?
  private var bag: DiagnosticBag { context.bag }

  func read(_ file: SectionReader) -> [String: String] {
    var properties: [String: String] = [:]
    let entries = file.texts(map: Self.section)
    for entry in entries {
      if let refusal = LibrdkafkaProperties.refusal(of: entry.name.text) {
        bag.error(entry.name.range, "`\(entry.name.text)` can't be set: \(refusal.reason)", hint: refusal.hint)
      } else {
        properties[entry.name.text] = entry.value.text
      }
    }
    let faults = check?.faults(properties) ?? []
    let refusedValues = Set(faults.filter { !$0.isUnknown }.map(\.property))
    if case .mapping(let mapping)? = file.node(Self.section) {
      // A refused value is what the line is shown for; any other may be a password.
      for entry in mapping.entries where !refusedValues.contains(entry.key.text) { bag.hide(entry.value.range) }
    }
    for fault in faults {
      if let entry = entries.first(where: { $0.name.text == fault.property }) { tell(fault, entry) }
    }
    return properties
  }

  private func tell(_ fault: PropertyCheck.Fault, _ entry: (name: LocatedText, value: LocatedText)) {
    guard fault.isUnknown else {
      return bag.error(entry.value.range, "librdkafka refuses the value of `\(fault.property)`: \(fault.answer)")
    }
    let names = (check?.names() ?? []).filter { LibrdkafkaProperties.refusal(of: $0) == nil }
    bag.error(
      entry.name.range, "librdkafka refuses `\(fault.property)`: \(fault.answer)",
      hint: NearestName.find(fault.property, among: names).map { "did you mean `\($0)`?" })
  }

  /// What is wrong with the properties that are right each by itself.
  func checkTogether(_ plan: PipelinePlan, _ file: SectionReader) {
    if let answer = check?.together(plan) {
      bag.error(file.keyRange(Self.section), "librdkafka refuses these properties together: \(answer)")
    }
  }
}
