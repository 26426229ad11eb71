import Foundation

/// The metrics that a process wrote last, into the file that `--metrics-file` names.
public struct MetricsFile: Sendable {
  private let path: String

  /// It need not be there yet.
  public init(_ path: String) { self.path = path }

  /// The values of a metric's series, by their labels as they are written, with their braces.
  ///
  /// - Throws: why the file can't be read.
  public func series(_ metric: String) throws -> [String: Double] {
    var values: [String: Double] = [:]
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      guard line.hasPrefix("\(metric){") || line.hasPrefix("\(metric) "), let space = line.lastIndex(of: " ") else {
        continue
      }
      values[String(line[..<space].dropFirst(metric.count))] = Double(line[line.index(after: space)...])
    }
    return values
  }

  /// The sum of a metric's series.
  public func sum(_ metric: String) throws -> Int { Int(try series(metric).values.reduce(0, +)) }
}
