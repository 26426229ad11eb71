internal import Kafka
internal import Telemetry

/// Puts what clients say into the log.
enum ClientLog {
  static func tell(_ notices: [ClientNotice], _ log: Logger) {
    for notice in notices {
      switch notice {
      case .error(let error): tell(error, log)
      case .log(let line): tell(line, log)
      case .statistics: break
      }
    }
  }

  static func tell(_ error: KafkaError, _ log: Logger) {
    error.class == .retriable ? log.warning("\(error)") : log.error("\(error)")
  }

  static func tell(_ line: Kafka.LogLine, _ log: Logger) {
    let fields = ["facility": line.facility]
    switch line.severity {
    case ...3: log.error(line.message, fields)
    case 4: log.warning(line.message, fields)
    case 5, 6: log.info(line.message, fields)
    default: log.debug(line.message, fields)
    }
  }
}
