import CRdkafka
import Glibc

extension KafkaConfiguration {
  /// A property that librdkafka does not take, be its name or its value the reason.
  public struct Fault: Sendable, Hashable {
    /// The property.
    public var property: String
    /// Whether librdkafka has no property of this name; else it is the value that it refuses.
    public var isUnknown: Bool
    /// librdkafka's own answer, in one line.
    public var answer: String
  }

  /// All properties that librdkafka does not take, each judged by itself, in order of name. Makes no client: what is wrong with
  /// them together shows in `validate` only.
  public var faults: [Fault] { NativeConfiguration.faults(of: self) }

  /// The properties that the loaded librdkafka knows and that can be set as text, other names for them included.
  public static let propertyNames: [String] = readPropertyNames()

  /// librdkafka lists them only as a table for people, `NAME | ...`, on a stream.
  private static func readPropertyNames() -> [String] {
    var text: UnsafeMutablePointer<CChar>?
    var size = 0
    guard let stream = open_memstream(&text, &size) else { return [] }
    rd_kafka_conf_properties_show(stream)
    fclose(stream)
    defer { free(text) }
    guard let text else { return [] }
    let names = String(cString: text).split(separator: "\n").compactMap { line -> String? in
      guard let bar = line.firstIndex(of: "|"), !line.contains("see dedicated API") else { return nil }
      let name = line[..<bar].reversed().drop { $0 == " " }.reversed()
      let isName =
        name.contains(where: \.isLetter) && name.allSatisfy { $0.isLowercase || ".-_".contains($0) || $0.isNumber }
      return isName ? String(name) : nil
    }
    return Array(Set(names)).sorted()
  }
}
