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
    let isRunning = invocation.flag(PlanOptions.running)
    if isRunning, invocation.isGiven(PlanOptions.against) || properties.isEmpty {
      return Program.report(.conflict("`plan` takes --running with --bootstrap, and without --against"), command: .plan)
    }
    var old: PipelinePlan?
    if let other = invocation.text(PlanOptions.against) {
      guard let found = PipelineLoading.plan(other) else { return .pipelineMistakes }
      old = found
    }
    let keys = invocation.integer(PlanOptions.keys) ?? 1
    var counts: [String: Int] = [:]
    if !properties.isEmpty {
      do throws(PipelineFailure) {
        let topics = PlanReport(plan, keys: keys, group: properties["group.id"]).topics.map(\.topic)
        counts = try partitions(topics, plan, properties)
        if isRunning { old = try RunningVersion.find(plan, properties: properties)?.plan }
      } catch {
        Program.writeError("tocsin: \(error)")
        return ExitCode(error.kind)
      }
      if isRunning, old == nil { Program.writeError("tocsin: no version of `\(plan.name)` is in force yet") }
    }
    let report = PlanReport(plan, keys: keys, group: properties["group.id"], partitions: counts, against: old)
    print(invocation.flag(PlanOptions.json) ? report.json : report.text, terminator: "")
    return .success
  }

  /// How many partitions the topics have; those that are not there are left out.
  private static func partitions(
    _ topics: [String], _ plan: PipelinePlan, _ properties: [String: String]
  ) throws(PipelineFailure) -> [String: Int] {
    let settings = ClientSettings(
      plan: plan, properties: plan.properties.merging(properties) { $1 }, instance: "plan")
    var counts: [String: Int] = [:]
    do throws(KafkaError) {
      let admin = try KafkaAdmin(settings.consumer)
      for topic in topics {
        if case .found(let found) = try admin.describeTopic(topic, timeoutMilliseconds: timeout) {
          counts[topic] = found.partitions.count
        }
      }
    } catch {
      throw PipelineFailure(error)
    }
    return counts
  }
}
