import Events
import Testing

@testable import Alerts

struct IdentityTests {
  /// RFC 9562, appendix A.4; the second is Python's `uuid.uuid5(uuid.NAMESPACE_DNS, "tocsin.dev")`.
  @Test func uuidsAreThoseOfTheStandard() {
    #expect(
      UUIDv5(namespace: .dns, name: Array("www.example.com".utf8)).description
        == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
    #expect(UUIDv5.tocsin.description == "990bb541-e5e4-5832-ae0e-b9043f395a79")
  }

  /// The ids as the Python of `docs/alerts.md` makes them.
  @Test func idsAreThoseOfTheRecipe() {
    let episode = AlertIdentity.episode(
      pipeline: "crypto-transfers", rule: "structuring", key: ["bc1qexampleexampleexample", "é"],
      start: 1_795_425_600_000_000_000, opening: RecordPlace(topic: "transfers", partition: 3, offset: 991_204))
    #expect(episode.description == "f1709e16-36e5-540a-9090-4d26c4470064")
    #expect(AlertIdentity.record(episode: episode, revision: 2).description == "98f73331-3042-5f3c-b699-9ecd85d2a229")
  }

  @Test func everyPartChangesTheID() {
    let place = RecordPlace(topic: "t", partition: 1, offset: 1)
    var ids = [AlertIdentity.episode(pipeline: "p", rule: "r", key: ["a", "b"], start: 1, opening: place)]
    func add(
      pipeline: String = "p", rule: String = "r", key: [String] = ["a", "b"], start: Int64 = 1,
      opening: RecordPlace = place
    ) {
      ids.append(AlertIdentity.episode(pipeline: pipeline, rule: rule, key: key, start: start, opening: opening))
    }
    add(pipeline: "q")
    add(rule: "s")
    // Bytes that move from one part to another, and parts that look like a count or a separator.
    add(pipeline: "pr", rule: "")
    let keys = [["ab"], ["ab", ""], ["", "ab"], [], ["a,1:b"], ["b", "a"]]
    for key in keys { add(key: key) }
    add(start: -1)
    add(opening: RecordPlace(topic: "u", partition: 1, offset: 1))
    add(opening: RecordPlace(topic: "t", partition: 11, offset: 1))
    add(opening: RecordPlace(topic: "t", partition: 1, offset: 11))
    #expect(Set(ids).count == ids.count)
  }

  @Test func anUpdateHasAnIDOfItsOwnInTheSameEpisode() {
    let opened = Samples.structuring(.opened, revision: 1, events: 3, at: 0)
    let updated = Samples.structuring(.updated, revision: 2, events: 5, at: 3_600)
    #expect(opened.episodeID == updated.episodeID)
    #expect(opened.recordID != updated.recordID)
  }

  @Test func traceParentsAreThoseOfTheW3C() {
    let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    #expect(TraceParent.isValid(valid))
    #expect(!TraceParent.isValid(""))
    #expect(!TraceParent.isValid(valid + "0"))
    #expect(!TraceParent.isValid(valid.uppercased()))
    #expect(!TraceParent.isValid("ff" + valid.dropFirst(2)))
    #expect(!TraceParent.isValid("00-00000000000000000000000000000000-b7ad6b7169203331-01"))
    #expect(!TraceParent.isValid("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"))
    #expect(!TraceParent.isValid(valid.replacing("-", with: "_")))
    for index in valid.indices {
      #expect(!TraceParent.isValid(valid.replacingCharacters(at: index, with: "g")))
    }
  }
}

extension String {
  fileprivate func replacingCharacters(at index: Index, with character: Character) -> String {
    self[..<index] + String(character) + self[self.index(after: index)...]
  }
}
