import Glibc
import Kafka

/// Where generated events go.
protocol EventWriter: ~Copyable {
  /// Takes an event; its memory is the caller's again afterwards.
  mutating func write(_ event: GeneratedEvent) throws(GenerateError)
  /// Waits until all is written.
  mutating func finish() throws(GenerateError)
}

/// Why events could not be made or written.
enum GenerateError: Error, CustomStringConvertible {
  /// A file, with the system's reason.
  case file(path: String, reason: String)
  case kafka(KafkaError)
  /// Something about the topic; the text says what to do.
  case topic(String)

  var description: String {
    switch self {
    case .file(let path, let reason): "\(path): \(reason)"
    case .kafka(let error): "\(error)"
    case .topic(let text): text
    }
  }

  /// Runs calls to Kafka; what they throw is `.kafka`.
  static func asKafka<Result>(_ body: () throws(KafkaError) -> Result) throws(GenerateError) -> Result {
    do throws(KafkaError) { return try body() } catch { throw .kafka(error) }
  }
}

/// Lines into a file, or into standard output where the path is `-`.
struct LineFile: ~Copyable {
  private static let bufferBytes = 1 << 18

  private let path: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []

  /// Makes the file, or empties it.
  init(path: String) throws(GenerateError) {
    self.path = path
    descriptor = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw Self.failure(path) }
    buffer.reserveCapacity(Self.bufferBytes + 4096)
  }

  deinit { if path != "-" { close(descriptor) } }

  /// Appends bytes as they are.
  mutating func append(_ bytes: [UInt8]) throws(GenerateError) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  /// Appends bytes and a line's end.
  mutating func append(line: [UInt8]) throws(GenerateError) {
    buffer.append(contentsOf: line)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  /// Hands what waits to the system.
  mutating func flush() throws(GenerateError) {
    var start = 0
    while start < buffer.count {
      let count = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + start, $0.count - start) }
      if count < 0 && errno != EINTR { throw Self.failure(path) }
      start += max(0, count)
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private static func failure(_ path: String) -> GenerateError {
    .file(path: path == "-" ? "standard output" : path, reason: String(cString: strerror(errno)))
  }
}

/// Events as lines: the values only, one a line.
struct FileEventWriter: EventWriter, ~Copyable {
  private var file: LineFile

  init(path: String) throws(GenerateError) { file = try LineFile(path: path) }

  mutating func write(_ event: GeneratedEvent) throws(GenerateError) { try file.append(line: event.value) }

  mutating func finish() throws(GenerateError) { try file.flush() }
}
