import Kafka
import KafkaTransport
import Pipeline

/// `tocsin plan`: what a pipeline file becomes.
enum PlanCommand {
  /// Milliseconds for one question to the brokers.
  private static let timeout: Int32 = 10_000

  /// Carries it out.
  static func run(_ invocation: Invocation) -> ExitCode {
    let properties: [String: String]
    do throws(CommandLineError) {
      properties = try KafkaOptions.properties(invocation)
    } catch {
      return Program.report(error, command: .plan)
    }
    guard let path = invocation.positional(PlanOptions.file), let plan = PipelineLoading.plan(path) else {
      return .pipelineMistakes
    }
    var old: PipelinePlan?
    if let other = invocation.text(PlanOptions.against) {
      guard let found = PipelineLoading.plan(other) else { return .pipelineMistakes }
      old = found
    }
    let keys = invocation.integer(PlanOptions.keys) ?? 1
    var report = PlanReport(plan, keys: keys, against: old)
    if !properties.isEmpty {
      do throws(KafkaError) {
        let topics = report.topics.map(\.topic)
        report = PlanReport(plan, keys: keys, partitions: try partitions(topics, plan, properties), against: old)
      } catch {
        Program.writeError("tocsin: \(error)")
        return error.class == .retriable ? .unreachable : .environment
      }
    }
    print(invocation.flag(PlanOptions.json) ? report.json : report.text, terminator: "")
    return .success
  }

  /// How many partitions the topics have; those that are not there are left out.
  private static func partitions(
    _ topics: [String], _ plan: PipelinePlan, _ properties: [String: String]
  ) throws(KafkaError) -> [String: Int] {
    let settings = ClientSettings(
      plan: plan, properties: plan.properties.merging(properties) { $1 }, instance: "plan", tellsEnd: false)
    let admin = try KafkaAdmin(settings.consumer)
    var counts: [String: Int] = [:]
    for topic in topics {
      if case .found(let found) = try admin.describeTopic(topic, timeoutMilliseconds: timeout) {
        counts[topic] = found.partitions.count
      }
    }
    return counts
  }
}
