internal import Events

/// The ids of episodes and alerts. They are made from what an alert says, so a replay gives the same ones, and another
/// program can make them too: `docs/alerts.md` has the recipe.
public enum AlertIdentity {
  /// The first part of an episode's name: what the id is of.
  static let episodeTag = "episode"

  /// The id of an episode, from its opening to its close.
  ///
  /// - Parameters:
  ///   - pipeline: the pipeline's name.
  ///   - rule: the rule's id.
  ///   - key: the texts of the key's parts in order; empty for a rule without `by`.
  ///   - start: the episode's start, in nanoseconds since 1970.
  ///   - opening: the record that opened the episode.
  public static func episode(
    pipeline: String, rule: String, key: [String], start: Int64, opening: RecordPlace
  ) -> UUIDv5 {
    var parts = [episodeTag, pipeline, rule, String(key.count)]
    parts += key
    parts += [String(start), opening.topic, String(opening.partition), String(opening.offset)]
    return UUIDv5(namespace: .tocsin, name: name(of: parts))
  }

  /// The id of one alert: the name is the revision in decimal digits, the namespace is its episode's id.
  public static func record(episode: UUIDv5, revision: Int) -> UUIDv5 {
    UUIDv5(namespace: episode, name: Array(String(revision).utf8))
  }

  /// Parts one after the other as netstrings, each `COUNT:BYTES,` with the count of its UTF-8 bytes: no two lists of parts
  /// give the same bytes.
  static func name(of parts: [String]) -> [UInt8] {
    var bytes: [UInt8] = []
    for part in parts {
      bytes += Array(String(part.utf8.count).utf8)
      bytes.append(UInt8(ascii: ":"))
      bytes += Array(part.utf8)
      bytes.append(UInt8(ascii: ","))
    }
    return bytes
  }
}

/// Where a record stands in the input.
public struct RecordPlace: Sendable, Hashable, CustomStringConvertible {
  /// Its topic.
  public var topic: String
  /// Its partition.
  public var partition: Int32
  /// Its offset.
  public var offset: Int64

  /// A place.
  public init(topic: String, partition: Int32, offset: Int64) {
    self.topic = topic
    self.partition = partition
    self.offset = offset
  }

  /// `transfers/3/991204`.
  public var description: String { "\(topic)/\(partition)/\(offset)" }
}

extension AlertRecord {
  /// The id of the episode: `ce_correlationid`.
  public var episodeID: UUIDv5 {
    AlertIdentity.episode(
      pipeline: pipeline.name, rule: rule.id, key: subject.key.map(\.value.text), start: episode.start,
      opening: episode.opening)
  }

  /// The id of this alert: `ce_id`.
  public var recordID: UUIDv5 { AlertIdentity.record(episode: episodeID, revision: episode.revision) }
}
