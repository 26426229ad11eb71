import Tables
import Testing

@testable import Pipeline

/// Which versions are removed.
@Suite struct VersionCleaningTests {
  private static let now: Int64 = 1_800_000_000_000
  private static let old = now - VersionCleaning.margin - 1

  private func content(_ text: String, list: String = "list") -> VersionContent {
    VersionContent(pipeline: Array(text.utf8), tables: ["t": TableContent(bytes: Array(list.utf8))])
  }

  private func kept(_ content: VersionContent, _ written: Int64) -> VersionCleaning.Kept {
    VersionCleaning.Kept(manifest: content.manifest, written: written)
  }

  @Test func whatIsNamedOrYoungStays() {
    let (named, young, gone) = (content("named"), content("young"), content("gone"))
    let cleaning = VersionCleaning(
      [kept(named, Self.old), kept(young, Self.old + 1), kept(gone, Self.old)], now: Self.now)
    #expect(cleaning.hasOld)
    #expect(cleaning.removable(named: [named.manifest.id]).map(\.id) == [gone.manifest.id])
    #expect(!VersionCleaning([kept(young, Self.old + 1)], now: Self.now).hasOld)
  }

  /// Of the files, only those go that no other version has; each with all of its chunks.
  @Test func filesThatOthersHaveStay() throws {
    let long = String(repeating: "x", count: VersionRecord.chunkSize + 1)
    let (stays, goes) = (content("a", list: "shared"), content(long, list: "shared"))
    let cleaning = VersionCleaning([kept(stays, Self.now), kept(goes, Self.old)], now: Self.now)
    let removed = cleaning.removable(named: [])
    let tombstones = cleaning.tombstones(of: removed)
    #expect(tombstones.manifests.map { VersionKey($0.key) } == [.manifest(goes.manifest.id)])
    let hash = goes.manifest.pipeline.hash
    #expect(
      tombstones.chunks.map { VersionKey($0.key) } == [.chunk(hash: hash, place: 0), .chunk(hash: hash, place: 1)])
    #expect((tombstones.manifests + tombstones.chunks).allSatisfy { $0.value == nil })
    // What is left can be put together.
    var assembly = VersionAssembly([stays.manifest])
    for record in stays.records() + goes.records() + tombstones.chunks { assembly.add(record) }
    #expect(try assembly.content(stays.manifest.id) == stays)
  }

  /// A version that is about to be removed, or shares a file with one, is kept once more.
  @Test func whatIsAtRisk() {
    let (old, young) = (content("old", list: "one"), content("young", list: "two"))
    let cleaning = VersionCleaning(
      [kept(old, Self.now - VersionCleaning.margin / 2 - 1), kept(young, Self.now)], now: Self.now)
    #expect(cleaning.isAtRisk(old.manifest))
    #expect(cleaning.isAtRisk(content("new", list: "one").manifest))
    #expect(!cleaning.isAtRisk(young.manifest))
    #expect(!cleaning.isAtRisk(content("new", list: "two").manifest))
  }
}
