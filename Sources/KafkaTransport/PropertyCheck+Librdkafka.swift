internal import Kafka
public import Pipeline

extension PropertyCheck {
  /// The librdkafka that is loaded, asked about each property by itself; makes no client.
  public static let librdkafka = PropertyCheck(faults: faults, names: { KafkaConfiguration.propertyNames })

  /// The same, and then about the properties together, as the clients of a pipeline get them; opens no connection.
  public static let librdkafkaClients = PropertyCheck(
    faults: faults, names: { KafkaConfiguration.propertyNames },
    together: { plan in
      do throws(PipelineFailure) {
        try ClientSettings(plan: plan, properties: plan.properties, instance: "check").validate()
        return nil
      } catch {
        return "\(error)"
      }
    })

  @Sendable private static func faults(_ properties: [String: String]) -> [Fault] {
    KafkaConfiguration(properties).faults.map {
      Fault(property: $0.property, isUnknown: $0.isUnknown, answer: $0.answer)
    }
  }
}
