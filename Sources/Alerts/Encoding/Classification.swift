internal import Events

/// A number of OCSF's and the word that goes with it.
struct Classified: Equatable {
  var id: Int
  var caption: String

  init(_ id: Int, _ caption: String) {
    self.id = id
    self.caption = caption
  }
}

extension AlertRecord.Episode.State {
  /// OCSF's activity of a finding.
  var activity: Classified {
    switch self {
    case .opened: Classified(1, "Create")
    case .updated: Classified(2, "Update")
    case .closed: Classified(3, "Close")
    }
  }
}

extension Severity {
  /// The word in OCSF, `High`.
  var caption: String { name.prefix(1).uppercased() + name.dropFirst() }

  /// The number in OpenTelemetry's bands (INFO from 9, WARN from 13, ERROR from 17, FATAL from 21), one for each severity as
  /// the severity extension of CloudEvents asks.
  var openTelemetryNumber: Int {
    switch self {
    case .informational: 9
    case .low: 10
    case .medium: 13
    case .high: 17
    case .critical: 21
    }
  }
}

/// How OCSF words numbers of 0 to 100.
enum Level {
  /// Quarters of 100 points; no points are Info.
  static func risk(_ score: Int) -> Classified {
    switch score {
    case ..<1: Classified(0, "Info")
    case ..<25: Classified(1, "Low")
    case ..<50: Classified(2, "Medium")
    case ..<75: Classified(3, "High")
    default: Classified(4, "Critical")
    }
  }

  /// Thirds of 100.
  static func confidence(_ score: Int) -> Classified {
    switch score {
    case ..<34: Classified(1, "Low")
    case ..<67: Classified(2, "Medium")
    default: Classified(3, "High")
    }
  }
}

extension AlertRecord {
  /// The best confidence of a watchlist's entry; nil where none has one between 0 and 100.
  var confidence: Int? {
    hits.compactMap { $0.kind == .watchlist ? $0.confidence : nil }.filter { (0...100).contains($0) }.max()
  }
}
