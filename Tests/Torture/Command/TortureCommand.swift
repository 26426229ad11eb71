import Foundation
import KafkaTestSupport
import TortureSupport

/// `torture`: beats processes and brokers for some minutes, and tells whether any alert was lost, doubled or wrong.
///
///     torture [--minutes N] [--seed N] [--rate N] [--nodes N] [--instances N] [--kafka VERSION] [--tocsin PATH]
///             [--library FOLDER] [--members dynamic]
///     torture restart [--keys N] [--times N] [--seed N] [--kafka VERSION] [--bootstrap HOST:PORT] [--tocsin PATH]
@main struct TortureCommand {
  static func main() {
    let seed = value("seed").flatMap { UInt64($0) } ?? UInt64.random(in: 1..<1_000_000)
    let isRestart = CommandLine.arguments.dropFirst().first == "restart"
    let folder =
      FileManager.default.currentDirectoryPath
      + "/.build/torture/\(isRestart ? "restart" : "seed")-\(seed)-\(ProcessInfo.processInfo.processIdentifier)"
    say("seed \(seed); logs are in \(folder)")
    do {
      let outcome = try isRestart ? restart(seed, folder) : torture(seed, folder)
      say(outcome.report)
      exit(outcome.isRight ? 0 : 1)
    } catch {
      say("torture: \(error); seed \(seed); logs are in \(folder)")
      exit(1)
    }
  }

  /// Writes a line at once, also into a pipe.
  private static func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

  /// What follows `--NAME`; nil where nothing does.
  private static func value(_ name: String) -> String? {
    let words = CommandLine.arguments
    guard let place = words.firstIndex(of: "--\(name)"), place + 1 < words.count else { return nil }
    return words[place + 1].isEmpty ? nil : words[place + 1]
  }

  /// The program under test: the one beside this.
  private static var program: String {
    let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    return value("tocsin") ?? own.deletingLastPathComponent().appendingPathComponent("tocsin").path
  }

  private static func torture(_ seed: UInt64, _ folder: String) throws -> TortureRun.Outcome {
    var options = TortureRun.Options(folder: folder, program: program)
    options.seed = seed
    if let minutes = value("minutes").flatMap({ Double($0) }) { options.seconds = minutes * 60 }
    if let rate = value("rate").flatMap({ Double($0) }) { options.rate = rate }
    if let nodes = value("nodes").flatMap({ Int($0) }) { options.nodes = nodes }
    if let instances = value("instances").flatMap({ Int($0) }) { options.instances = instances }
    if let version = value("kafka") { options.version = version }
    options.library = value("library")
    options.isStatic = value("members") != "dynamic"
    return try TortureRun(options) { say($0) }.run()
  }

  private static func restart(_ seed: UInt64, _ folder: String) throws -> TortureRun.Outcome {
    var options = RestartRun.Options(folder: folder, program: program)
    if let keys = value("keys").flatMap({ Int($0) }) { options.keys = keys }
    if let times = value("times").flatMap({ Int($0) }) { options.times = times }
    if let version = value("kafka") { options.version = version }
    options.bootstrap = value("bootstrap")
    return try RestartRun(options, seed: seed) { say($0) }.run()
  }
}
