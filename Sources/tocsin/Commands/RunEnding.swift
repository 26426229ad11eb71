import Telemetry

/// Says why a run did not begin or what it came to: to a person as plain text, to a machine that reads the log as one record.
struct RunEnding {
  let format: LogSystem.Format
  private let log = Logger(module: "tocsin")

  init(_ format: LogSystem.Format) { self.format = format }

  /// The file or its lists have mistakes.
  func refused(_ report: String, _ code: ExitCode) -> ExitCode { failed(code, report, text: report) }

  /// The run failed.
  func failed(_ reason: String, _ code: ExitCode) -> ExitCode { failed(code, reason, text: "tocsin: \(reason)") }

  private func failed(_ code: ExitCode, _ reason: String, text: String) -> ExitCode {
    switch format {
    case .text: Program.writeError(text)
    case .json:
      log.error(
        "the program ends", ["exit_code": "\(code.rawValue)", "kind": code.kind, "reason": reason])
    }
    return code
  }

  /// What is probably a mistake in the file or its lists.
  func warn(_ report: String) {
    switch format {
    case .text: Program.writeError(report)
    case .json: log.warning("about the pipeline file or its lists", ["what": report])
    }
  }

  /// What came of a run that ended in order.
  func sum(_ summary: RunSummary) {
    switch format {
    case .text: Program.writeError(summary.text)
    case .json: log.info("the run has ended in order", summary.fields)
    }
  }
}
