import TestSupport
import Testing

@testable import Configuration

@Suite struct ScalarReaderTests {
  private static let day: Int64 = 86_400_000_000_000

  @Test(
    arguments: [
      ("250ms", 250_000_000), ("5s", 5_000_000_000), ("10m", 600_000_000_000), ("24h", day), ("7d", 7 * day),
      ("2w", 14 * day), ("1h30m", 5_400_000_000_000), ("1.5h", 5_400_000_000_000), ("0s", 0), ("3ns", 3),
      ("7us", 7_000),
      ("9007199254740993ns", 9_007_199_254_740_993), ("0.1s", 100_000_000), (".5s", 500_000_000),
      ("106751d", 106_751 * day),
    ] as [(String, Int64)])
  func durationsAreRead(_ text: String, _ expected: Int64) throws {
    #expect(try ScalarReader.duration(text) == expected)
  }

  @Test(arguments: [
    "", "5", "s", "5 s", "-5s", "+5s", "5S", "1.2.3s", "1e3s", "5min", "1h-30m", "\u{661}s", "0x1s", ".s", "1h30",
  ])
  func whatIsNoDurationSaysSo(_ text: String) {
    #expect(
      throws: ScalarReader.Problem(
        message: "`\(text)` is no duration", hint: "a number with a unit: 250ms, 5s, 10m, 24h, 7d, 2w")
    ) {
      try ScalarReader.duration(text)
    }
  }

  @Test(arguments: [
    "106752d", "99999999999999999999w", "9223372036854775807ns", "200y".replacing("y", with: "000d"), "106751d24h",
  ])
  func longDurationsAreRefused(_ text: String) {
    #expect(throws: ScalarReader.Problem(message: "`\(text)` is longer than 292 years", hint: nil)) {
      try ScalarReader.duration(text)
    }
  }

  @Test func durationsReadBackAsTheyAreShown() throws {
    var random = SeededRandom(3)
    for _ in 0..<2_000 {
      let units: [Int64] = [1, 1_000, 1_000_000, 1_000_000_000, 60_000_000_000, Self.day]
      let unit = units.randomElement(using: &random) ?? 1
      let value = Int64.random(in: 0...90_000, using: &random) * unit
      #expect(try ScalarReader.duration(ScalarReader.durationText(value)) == value)
    }
    #expect(ScalarReader.durationText(5_400_000_000_000) == "90m" && ScalarReader.durationText(7 * Self.day) == "7d")
    #expect(ScalarReader.durationText(0) == "0s" && ScalarReader.durationText(1) == "1ns")
  }

  @Test(
    arguments: [
      ("0", 0), ("512", 512), ("512B", 512), ("1KiB", 1_024), ("64MiB", 64 << 20), ("2GiB", 2 << 30),
      ("10 MB", 10_000_000),
      ("1KB", 1_000), ("3GB", 3_000_000_000), ("9223372036854775807", .max),
    ] as [(String, Int64)])
  func bytesAreRead(_ text: String, _ expected: Int64) throws { #expect(try ScalarReader.bytes(text) == expected) }

  @Test(arguments: ["", "MB", "-1", "1.5MB", "1mb", "1 TB", "0x10", "9223372036854775808", "1_000"])
  func whatIsNoSizeSaysSo(_ text: String) {
    #expect(
      throws: ScalarReader.Problem(
        message: "`\(text)` is no number of bytes", hint: "a whole number, alone or with KiB, MiB, GiB, KB, MB, GB")
    ) { try ScalarReader.bytes(text) }
  }

  @Test func hugeSizesAreRefused() {
    #expect(throws: ScalarReader.Problem(message: "`9999999999GiB` is too many bytes", hint: nil)) {
      try ScalarReader.bytes("9999999999GiB")
    }
  }

  @Test func sizesReadBackAsTheyAreShown() throws {
    var random = SeededRandom(4)
    for _ in 0..<1_000 {
      let value = Int64.random(in: 0...5_000, using: &random) << [0, 10, 20, 30].randomElement(using: &random)!
      #expect(try ScalarReader.bytes(ScalarReader.bytesText(value)) == value)
    }
    #expect(ScalarReader.bytesText(64 << 20) == "64MiB" && ScalarReader.bytesText(1_000) == "1000")
  }

  @Test func onlyTrueAndFalseAreFlags() throws {
    #expect(try ScalarReader.flag("true") && !ScalarReader.flag("false"))
    for word in ["yes", "on", "True", "1", ""] {
      #expect(throws: ScalarReader.Problem(message: "`\(word)` is neither true nor false", hint: nil)) {
        try ScalarReader.flag(word)
      }
    }
  }
}

@Suite struct EnvironmentTextTests {
  private let environment = EnvironmentText(["NAME": "v", "EMPTY": "", "TRICK": "${NAME}"])

  @Test(arguments: [
    ("plain", "plain"), ("${NAME}", "v"), ("a${NAME}b${NAME}c", "avbvc"), ("${EMPTY}", ""), ("${NONE:-d e}", "d e"),
    ("${NONE:-}", ""), ("${NAME:-d}", "v"), ("${EMPTY:-d}", ""), ("$${NAME}", "${NAME}"),
    ("$NAME $ {x}", "$NAME $ {x}"),
    ("${TRICK}", "${NAME}"), ("${NONE:-a:-b}", "a:-b"), ("\u{e9}${NAME}\u{1f6a8}", "\u{e9}v\u{1f6a8}"), ("}", "}"),
  ])
  func variablesArePutIn(_ text: String, _ expected: String) throws {
    #expect(try environment.substitute(text) == expected)
  }

  @Test func whatIsMissingIsNamed() {
    #expect(
      throws: ScalarReader.Problem(
        message: "the environment has no variable `NONE`", hint: "set it, or give a default: ${NONE:-value}")
    ) { try environment.substitute("x${NONE}") }
    #expect(throws: ScalarReader.Problem(message: "`${` has no `}`", hint: "write `$${` for a plain `${`")) {
      try environment.substitute("x${NAME")
    }
  }
}
