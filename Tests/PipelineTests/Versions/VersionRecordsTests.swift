import Configuration
import Detection
import Events
import Foundation
import Tables
import TestSupport
import Testing

@testable import Pipeline

/// How the contents of a version are kept.
@Suite struct VersionRecordsTests {
  private func bytes(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
  }

  private func content(_ random: inout SeededRandom) -> VersionContent {
    let sizes = [0, 1, 300, VersionRecord.chunkSize - 1, VersionRecord.chunkSize, VersionRecord.chunkSize * 2 + 17]
    var content = VersionContent(pipeline: bytes(sizes.randomElement(using: &random) ?? 0, &random))
    for number in 0..<Int.random(in: 0...3, using: &random) {
      content.tables["t\(number)"] = TableContent(bytes: bytes(sizes.randomElement(using: &random) ?? 0, &random))
    }
    if Bool.random(using: &random) {
      content.tables["sdn"] = TableContent(
        bytes: bytes(10, &random), overflow: TableContent.Overflow(bytes: bytes(20, &random), path: "SDN_COMMENTS.CSV"))
    }
    for name in ["LIMIT", "EMPTY", "ODD"] where Bool.random(using: &random) {
      content.variables[name] = name == "EMPTY" ? "" : "a b\n\"ü\" \(Int.random(in: 0...9, using: &random))"
    }
    return content
  }

  @Test(arguments: 0..<12 as Range<UInt64>) func thereAndBack(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    let content = content(&random)
    let records = content.records()
    #expect(records.allSatisfy { ($0.value?.count ?? 0) <= VersionRecord.chunkSize || $0 == records.last })
    let last = try #require(records.last)
    #expect(VersionKey(last.key) == .manifest(content.manifest.id))
    let manifest = try VersionManifest(try #require(last.value))
    #expect(manifest == content.manifest)
    var assembly = VersionAssembly([manifest])
    for record in records.shuffled(using: &random) { assembly.add(record) }
    #expect(try assembly.content(manifest.id) == content)
    #expect(throws: VersionError.missing(VersionID(manifest: [1]))) {
      try assembly.content(VersionID(manifest: [1]))
    }
  }

  @Test func whatIsKnownIsNotWrittenAgain() throws {
    let before = VersionContent(
      pipeline: Array("a".utf8), tables: ["t": TableContent(bytes: Array("list".utf8)), "u": TableContent(bytes: [1])])
    var after = before
    after.pipeline = Array("b".utf8)
    let known = Set(before.manifest.blobs.map(\.hash))
    #expect(after.records(known: known).count == 2)
    #expect(before.manifest.id != after.manifest.id)
    #expect(after.records().count == 4)
  }

  /// Equal files are kept once.
  @Test func equalFiles() throws {
    let content = VersionContent(
      pipeline: [7], tables: ["t": TableContent(bytes: [1, 2]), "u": TableContent(bytes: [1, 2])])
    #expect(content.records().count == 3)
    var assembly = VersionAssembly([content.manifest])
    for record in content.records() { assembly.add(record) }
    #expect(try assembly.content(content.manifest.id) == content)
  }

  @Test func whatIsMissingOrWrongIsSaid() throws {
    var random = SeededRandom(9)
    let content = VersionContent(pipeline: bytes(VersionRecord.chunkSize + 5, &random))
    let records = content.records()
    let id = content.manifest.id
    var assembly = VersionAssembly([content.manifest])
    #expect(throws: VersionError.incomplete(id, missing: VersionRecord.chunkSize + 5)) { try assembly.content(id) }
    assembly.add(records[0])
    #expect(throws: VersionError.incomplete(id, missing: 5)) { try assembly.content(id) }
    assembly.add(VersionRecord(key: records[0].key, value: nil))
    #expect(throws: VersionError.incomplete(id, missing: VersionRecord.chunkSize + 5)) { try assembly.content(id) }
    assembly.add(records[0])
    var damaged = records[1]
    damaged.value?[2] ^= 1
    assembly.add(damaged)
    let error = #expect(throws: VersionError.self) { try assembly.content(id) }
    guard case .damaged? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>) func mutatedManifests(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    let manifest = content(&random).manifest
    for _ in 0..<400 {
      var bytes = manifest.bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
        }
      }
      // What is read has the same form and another name, or is refused.
      if let read = try? VersionManifest(bytes) {
        #expect(read.bytes == bytes)
        #expect(bytes == manifest.bytes || read.id != manifest.id)
      }
    }
  }

  @Test(arguments: ["", "blob", "blob/12/0", "version/xyz", "version/", "blob//0", "other/1/2"]) func oddKeys(
    _ key: String
  ) {
    #expect(VersionKey(Array(key.utf8)) == nil)
  }
}

/// From files to a version, and from what was kept of them.
@Suite struct VersionLoaderTests {
  private func folder(_ files: [String: String]) throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, text) in files { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
    return folder
  }

  private static let file = FileSupport.file(
    head: "params: { limit: \"${LIMIT:-5}\" }", tables: FileSupport.tables,
    rules: "- { id: large, where: \"asset in rates && memo == params.limit\", by: from }",
    tail: "librdkafka: { sasl.password: \"${SECRET}\", ssl.key.password: offen }")

  @Test func thereAndBack() throws {
    let folder = try folder(["p.yaml": Self.file, "rates.csv": "asset,usd\nBTC,5\nETH,3\n"])
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("p.yaml").path
    let environment = ["LIMIT": "7", "SECRET": "geheim", "OTHER": "x"]
    let loaded = try VersionLoader.load(path: path, environment: environment)
    #expect(loaded.content.variables == ["LIMIT": "7"])
    #expect(loaded.version.plan.properties == ["sasl.password": "geheim", "ssl.key.password": "offen"])
    for record in loaded.content.records() {
      let text = String(decoding: record.value ?? [], as: UTF8.self)
      #expect(!text.contains("geheim") && !text.contains("offen"))
    }
    // On a machine with other variables and without the files.
    let restored = try VersionLoader.restore(
      loaded.content, path: "elsewhere/p.yaml", environment: ["LIMIT": "9", "SECRET": "anders"])
    #expect(restored.id == loaded.version.id)
    #expect(restored.plan.version == loaded.version.plan.version)
    #expect(restored.plan.rules.map(\.identity) == loaded.version.plan.rules.map(\.identity))
    #expect(restored.tables.map(\.version) == loaded.version.tables.map(\.version))
    #expect(restored.tables[0].entryCount == 2)
    // A variable that was not set then is not set now.
    let plain = try VersionLoader.load(path: path, environment: ["SECRET": "geheim"])
    #expect(plain.content.variables == [:])
    #expect(plain.version.id != loaded.version.id)
    let again = try VersionLoader.restore(plain.content, path: path, environment: environment)
    #expect(again.plan.rules.map(\.identity) == plain.version.plan.rules.map(\.identity))
  }

  /// However what stands under `librdkafka` is written, it is not kept, and nothing else is lost.
  @Test(arguments: [
    "librdkafka: { a: geheim, b: 'geheim', c: \"geheim \\\" x\" }", "librdkafka:\n  a: geheim   # why\n  b: 5",
    "librdkafka:\n  a: |\n    geheim\n    ü geheim\n  b: >-\n    geheim\n    geheim\n\n  c: geheim",
    "librdkafka:\n  a: |\n    geheim\n\n\n", "librdkafka:\n  a: geheim\n    geheim\n  b: \"geheim\n    geheim\"",
    "librdkafka: {}",
    "librdkafka:\n  a: ~\n  b:\n", "librdkafka: geheim", "",
  ]) func propertiesAreNotKept(_ section: String) throws {
    for text in [
      FileSupport.file(tail: section), section + "\n" + FileSupport.file(), "# ü\n" + FileSupport.file(head: section),
      FileSupport.file(tail: section.replacing("\n", with: "\r\n")),
    ] {
      let kept = try #require(PipelineFile.withoutProperties(Array(text.utf8)))
      let keptText = String(decoding: kept, as: UTF8.self)
      #expect(!keptText.contains("geheim"), "\(keptText)")
      let before = PipelineFile.read(bytes: Array(text.utf8), path: "p.yaml", environment: [:]).plan
      let after = PipelineFile.read(bytes: kept, path: "p.yaml", environment: [:]).plan
      if let before {
        #expect(after?.rules.map(\.identity) == before.rules.map(\.identity))
        #expect(after?.properties == [:])
      }
    }
  }

  @Test func propertiesThatCantBeTakenOut() throws {
    let text = "{tocsin: 1, librdkafka: {a: geheim}, pipeline: a}"
    #expect(PipelineFile.withoutProperties(Array(text.utf8)) == nil)
    // Whoever reads the file says so, at the key, before anything is kept of it.
    let indented = FileSupport.file(tail: "librdkafka: { a: geheim }").split(separator: "\n")
      .map { " \($0)" }.joined(separator: "\n")
    let read = PipelineFile.read(bytes: Array(indented.utf8), path: "p.yaml", environment: [:])
    #expect(read.plan == nil)
    let mistake = try #require(read.diagnostics.diagnostics.first { $0.severity == .error })
    #expect(mistake.range.column == 2 && mistake.message.hasPrefix("`librdkafka` must begin a line"), "\(mistake)")
    #expect(read.diagnostics.source?.line(mistake.range.line)?.hasPrefix(" librdkafka:") == true)
    #expect(!read.diagnostics.rendered().contains("geheim"))
    let plain = Array("tocsin: 1\npipeline: a\n".utf8)
    #expect(PipelineFile.withoutProperties(plain) == plain)
  }

  @Test func mistakes() throws {
    let folder = try folder([
      "p.yaml": Self.file, "rates.csv": "asset,usd\nBTC,five\n",
      "q.yaml": Self.file.replacing("asset in rates", with: "aset in rates"),
    ])
    defer { try? FileManager.default.removeItem(at: folder) }
    func mistakes(_ name: String) -> VersionLoader.Mistakes? {
      let path = folder.appendingPathComponent(name).path
      return #expect(throws: VersionLoader.Mistakes.self) {
        try VersionLoader.load(path: path, environment: ["SECRET": "x"])
      }
    }
    let list = mistakes("p.yaml")
    #expect(list?.isInFile == false)
    let place = "p.yaml:\(Self.lineOfList):"
    let lines = list?.report.split(separator: "\n") ?? []
    #expect(
      lines.first?.contains(place) == true && lines.first?.contains("error: ") == true, "\(String(describing: list))")
    #expect(lines.first?.contains("rates.csv:2:5: ") == true)
    #expect(lines.count >= 3 && lines[1].contains("rates.csv") && lines[2].contains("^~~~~~~~~"))
    let file = mistakes("q.yaml")
    #expect(file?.isInFile == true)
    #expect(file?.report.contains("q.yaml:") == true && file?.report.contains("did you mean `asset`") == true)
    // The list has a mistake too, and it is told in the same breath.
    #expect(file?.report.contains("rates.csv:2:5: ") == true)
    #expect(mistakes("none.yaml")?.report.contains("none.yaml:1:1: error: can't be read") == true)
  }

  /// The line of `file` that names the list.
  private static var lineOfList: Int {
    file.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains("rates.csv") }! + 1
  }

  @Test func aListThatShrank() throws {
    let text = Self.file.replacing("format: csv", with: "format: csv, max_shrink: 10%")
    let folder = try folder(["p.yaml": text, "rates.csv": "asset,usd\nBTC,5\nETH,3\n"])
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("p.yaml").path
    let first = try VersionLoader.load(path: path, environment: ["SECRET": "x"])
    try Data("asset,usd\nBTC,5\n".utf8).write(to: folder.appendingPathComponent("rates.csv"))
    let error = #expect(throws: VersionLoader.Mistakes.self) {
      try VersionLoader.load(path: path, environment: ["SECRET": "x"], previous: first.version)
    }
    #expect(error?.description.contains("max_shrink") == true)
    // A restart has no list to hold it against.
    #expect(try VersionLoader.load(path: path, environment: ["SECRET": "x"]).version.tables[0].entryCount == 1)
  }
}
