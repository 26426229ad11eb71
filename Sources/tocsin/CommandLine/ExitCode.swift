/// How the program ends, declared once: help and man page show it. An orderly stop by SIGINT or SIGTERM is a success.
enum ExitCode: Int32, Error, Sendable, Hashable, CaseIterable {
  case success = 0
  case pipelineMistakes = 1
  case commandLine = 2
  case environment = 3
  case unreachable = 4
  case fenced = 5
  case fatal = 6

  /// What it is called in the log.
  var kind: String {
    switch self {
    case .success: "success"
    case .pipelineMistakes: "pipeline_mistakes"
    case .commandLine: "command_line"
    case .environment: "environment"
    case .unreachable: "unreachable"
    case .fenced: "fenced"
    case .fatal: "fatal"
    }
  }

  /// What it means, in one sentence without a full stop.
  var text: String {
    switch self {
    case .success: "success; also an orderly stop by SIGINT or SIGTERM"
    case .pipelineMistakes: "the pipeline file has mistakes"
    case .commandLine: "the command line is wrong"
    case .environment: "something outside the file is wrong: a topic or list is missing, a permission, a credential"
    case .unreachable: "the broker could not be reached in time"
    case .fenced: "another process runs under this name"
    case .fatal: "a fatal error while running"
    }
  }
}
