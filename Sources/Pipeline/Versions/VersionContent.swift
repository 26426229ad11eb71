internal import Events
public import Tables

/// All that a version of a pipeline is made of: enough to run it again on another machine.
public struct VersionContent: Sendable, Hashable {
  /// The SHA-256 of the pipeline file as it was, in hex digits: what alerts name.
  public var file: String
  /// The bytes of the pipeline file, without what stands under `librdkafka`.
  public var pipeline: [UInt8]
  /// The environment's variables that the file reads outside `librdkafka`, as far as they are set. What `librdkafka` reads is
  /// where secrets are, and no alert depends on it.
  public var variables: [String: String]
  /// The bytes of the lists by the name of the table.
  public var tables: [String: TableContent]

  /// The contents of a version.
  ///
  /// - Parameter file: nil: the SHA-256 of `pipeline`.
  public init(
    file: String? = nil, pipeline: [UInt8], variables: [String: String] = [:], tables: [String: TableContent] = [:]
  ) {
    self.file = file ?? SHA256.hex(pipeline)
    self.pipeline = pipeline
    self.variables = variables
    self.tables = tables
  }

  /// What describes it.
  public var manifest: VersionManifest {
    VersionManifest(
      file: file, pipeline: VersionManifest.Blob(pipeline), variables: variables,
      tables: tables.mapValues { table in
        VersionManifest.Table(
          list: VersionManifest.Blob(table.bytes), overflow: table.overflow.map { VersionManifest.Blob($0.bytes) })
      })
  }
}
