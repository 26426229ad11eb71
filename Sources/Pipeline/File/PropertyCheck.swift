/// What the Kafka library has to say about a file's properties; `Pipeline` itself knows no Kafka.
public struct PropertyCheck: Sendable {
  /// A property that the library does not take.
  public struct Fault: Sendable, Hashable {
    /// Its name.
    public var property: String
    /// Whether there is no such property; else it is the value that is refused.
    public var isUnknown: Bool
    /// The library's own answer.
    public var answer: String

    /// A property that is refused.
    public init(property: String, isUnknown: Bool, answer: String) {
      self.property = property
      self.isUnknown = isUnknown
      self.answer = answer
    }
  }

  let faults: @Sendable ([String: String]) -> [Fault]
  let names: @Sendable () -> [String]
  let together: @Sendable (PipelinePlan) -> String?

  /// - Parameters:
  ///   - faults: all properties that are refused, each judged by itself.
  ///   - names: the names of all properties that there are.
  ///   - together: what is wrong with a plan's properties that are right each by itself, in one line; nil: nothing.
  public init(
    faults: @escaping @Sendable ([String: String]) -> [Fault], names: @escaping @Sendable () -> [String],
    together: @escaping @Sendable (PipelinePlan) -> String? = { _ in nil }
  ) {
    self.faults = faults
    self.names = names
    self.together = together
  }
}
