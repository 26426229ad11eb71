import Foundation
import Kafka
import KafkaTransport
import Pipeline
import Telemetry

/// `tocsin demo`: made transfers through an embedded broker, and the alerts as they come.
enum DemoCommand {
  private static let path = "pipelines/crypto-transfers.yaml"

  /// Carries it out.
  static func run(_ invocation: Invocation) -> ExitCode {
    LogSystem.shared.configure(levels: LogLevels(general: .warning), format: .text)
    guard FileManager.default.fileExists(atPath: path) else {
      Program.writeError("tocsin demo: there is no \(path) here: start it in the folder of the repository")
      return .environment
    }
    do {
      let version = try PipelineLoading.version(path).version
      try Demo(version.plan, version.tables, invocation).run()
      return .success
    } catch let code as ExitCode {
      return code
    } catch let failure as PipelineFailure {
      Program.writeError("tocsin demo: \(failure)")
      return ExitCode(failure.kind)
    } catch {
      Program.writeError("tocsin demo: \(error)")
      return .fatal
    }
  }
}
