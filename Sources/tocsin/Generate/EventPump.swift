import Glibc

/// Moves events from a generator to a writer, and the truth into its file.
enum EventPump {
  /// Moves all of them, at `rate` events a second where it is given.
  static func run<Writer: EventWriter & ~Copyable>(
    _ generator: inout some EventGenerator, into writer: inout Writer, truth path: String?, rate: Int?
  ) throws(GenerateError) {
    var truth: Optional<LineFile> = nil
    if let path { truth = try LineFile(path: path) }
    var pace = rate.map { Pace(perSecond: $0) }
    var event = GeneratedEvent()
    while generator.next(&event) {
      pace?.wait()
      try writer.write(event)
      for line in event.truth { try truth?.append(line: line.json) }
    }
    try writer.finish()
    try truth?.flush()
  }
}

/// Holds a loop to a rate: a hundred times a second it sleeps until its time has come.
struct Pace {
  private let perSecond: Int
  private let start: UInt64
  private var passed = 0
  private var allowed = 0

  init(perSecond: Int) {
    self.perSecond = perSecond
    start = Self.now()
  }

  /// Returns when the next pass is due.
  mutating func wait() {
    while passed >= allowed {
      let elapsed = Self.now() - start
      allowed = 1 + Int(elapsed.multipliedFullWidth(by: UInt64(perSecond)).low / 1_000_000_000)
      if passed >= allowed { usleep(10_000) }
    }
    passed += 1
  }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
