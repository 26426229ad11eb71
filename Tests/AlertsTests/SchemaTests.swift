import Alerts
import Testing

/// The schema and the encoder say the same.
struct SchemaTests {
  private static func bodies() throws -> [JSONValue] {
    try Samples.all.map { try JSONValue(AlertEncoder().encode($0.record).body) }
  }

  @Test func itIsTheOneThatAlertsName() throws {
    let schema = try Repository.schema().schema
    #expect(schema.object?["$id"]?.string == AlertEncoder.dataSchema)
    #expect(AlertEncoder.dataSchema.hasSuffix("/alert/1.0.0.json"))
  }

  @Test func everyGoldenAlertIsValid() throws {
    for sample in Samples.all {
      let file = try JSONValue(Repository.bytes("Tests/AlertsTests/Golden/\(sample.name).json"))
      #expect(try Repository.schema().problems(#require(file["data"])) == [], "\(sample.name)")
    }
  }

  @Test func anUnknownMemberIsRefusedEverywhere() throws {
    let validator = try Repository.schema()
    for body in try Self.bodies() {
      for path in body.objectPaths {
        // An object, since the maps of fields, values and tables take any name but no object.
        let mutated = body.replacing(path + ["sevrity"], by: .object([:]))
        #expect(try validator.problems(mutated).count == 1, "\(path)")
        guard !["fields", "values", "tables"].contains(path.last) else { continue }
        #expect(try !validator.problems(body.replacing(path + ["sevrity"], by: .string("x"))).isEmpty, "\(path)")
      }
    }
  }

  @Test(arguments: [
    "class_uid", "activity_id", "type_uid", "severity_id", "status_id", "time", "message", "metadata", "metadata.uid",
    "metadata.correlation_uid", "metadata.sequence", "metadata.product", "metadata.product.feature.version",
    "finding_info", "finding_info.uid", "finding_info.title", "finding_info.analytic.uid", "resources",
    "resources.0.uid",
    "observables.0.value", "evidences.0.uid", "evidences.0.data", "evidences.0.data.offset", "evidences.0.data.sha256",
    "enrichments.0.name", "enrichments.0.data.list_version", "unmapped", "unmapped.tocsin", "unmapped.tocsin.episode",
    "unmapped.tocsin.episode.state", "unmapped.tocsin.episode.start_ns", "unmapped.tocsin.conditions.0.text",
    "unmapped.tocsin.key.0.value", "unmapped.tocsin.pipeline_version", "unmapped.tocsin.crypto.address",
  ])
  func aRequiredMemberMustBeThereAndOfItsType(_ path: String) throws {
    let body = try JSONValue(AlertEncoder().encode(Samples.listedPayee).body)
    let steps = path.split(separator: ".").map(String.init)
    _ = try #require(body[path])
    let validator = try Repository.schema()
    #expect(try !validator.problems(body.replacing(steps, by: nil)).isEmpty)
    #expect(try !validator.problems(body.replacing(steps, by: .bool(false))).isEmpty)
  }

  /// No member of the schema that no alert ever has.
  @Test func everyMemberStandsInAGoldenAlert() throws {
    let validator = try Repository.schema()
    let bodies = try Self.bodies()
    #expect(Self.unused(validator.schema, bodies, "$") == [])
  }

  private static func unused(_ schema: JSONValue, _ values: [JSONValue], _ path: String) -> [String] {
    var found: [String] = []
    for (name, member) in schema["properties"]?.object ?? [:] {
      let present = values.compactMap { $0.object?[name] }
      found += present.isEmpty ? ["\(path).\(name)"] : unused(member, present, "\(path).\(name)")
    }
    if let items = schema["items"] { found += unused(items, values.flatMap { $0.array ?? [] }, path) }
    return found.sorted()
  }
}
