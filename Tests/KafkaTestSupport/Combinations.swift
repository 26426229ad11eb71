internal import Foundation

/// The versions of Kafka and of librdkafka that whole runs are tried with, as far as they are at hand; what is not is named in a
/// line, which does not fail the run of tests: each test runs with what there is.
public enum Combinations {
  /// Versions of Kafka, the newest first.
  private static let kafkas = [RealKafka.newest, "3.9.2"]
  /// The version of librdkafka beside that of the system.
  public static let newerLibrdkafka = "2.14.2"

  /// Folders of librdkafka that a run may be given; nil: as the system has it.
  public static let libraries: [String?] = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = root.deletingLastPathComponent().appendingPathComponent("shared/librdkafka-\(newerLibrdkafka)")
    if FileManager.default.fileExists(atPath: folder.path) { return [nil, folder.path] }
    print(leftOut("librdkafka \(newerLibrdkafka)"))
    return [nil]
  }()

  /// A line for each version of Kafka that is not among those at hand.
  public static func leftOut(of found: [String]) -> [String] {
    kafkas.filter { !found.contains($0) }.map { leftOut("Kafka \($0)") }
  }

  private static func leftOut(_ what: String) -> String {
    "LEFT OUT (no \(what)): the tests that run with each version"
  }
}
