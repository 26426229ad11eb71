import Foundation

/// The folder of Kafka's scripts and versions. Versions share some archives by links; a copy of the folder may hold a link
/// as a text with its target, which Java can't read: then a folder of links is made beside the temporary files.
enum KafkaFolder {
  /// Bytes that no archive is shorter than, and no link's target longer.
  private static let linkBytes = 512

  /// The folder itself, or one in which every link is a link again.
  static func usable(_ folder: URL) -> URL {
    let files = FileManager.default
    let versions = names(folder).filter { $0.first?.isNumber ?? false }
    let isBroken = versions.contains { version in
      names(folder.appendingPathComponent(version)).contains { target(folder, version, $0) != nil }
    }
    guard isBroken else { return folder }
    let mended = files.temporaryDirectory.appendingPathComponent(
      "tocsin-kafka-versions-\(ProcessInfo.processInfo.processIdentifier)")
    try? files.removeItem(at: mended)
    for version in versions {
      try? files.createDirectory(at: mended.appendingPathComponent(version), withIntermediateDirectories: true)
      for name in names(folder.appendingPathComponent(version)) {
        let source =
          target(folder, version, name) ?? folder.appendingPathComponent(version).appendingPathComponent(name)
        try? files.createSymbolicLink(
          at: mended.appendingPathComponent(version).appendingPathComponent(name), withDestinationURL: source)
      }
    }
    for script in ["start", "stop", "tool"] {
      try? files.copyItem(
        at: folder.appendingPathComponent(script), to: mended.appendingPathComponent(script))
    }
    try? ChildProcess.whenThisProcessHasEnded("rm -rf '\(mended.path)'")
    return mended
  }

  private static func names(_ folder: URL) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
  }

  /// Where a file that is a link as text points to; nil for any other file.
  private static func target(_ folder: URL, _ version: String, _ name: String) -> URL? {
    let file = folder.appendingPathComponent(version).appendingPathComponent(name)
    let size = (try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int) ?? nil
    guard let size, size < linkBytes, let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
    let target = folder.appendingPathComponent(version).appendingPathComponent(text).standardizedFileURL
    return FileManager.default.fileExists(atPath: target.path) ? target : nil
  }
}
