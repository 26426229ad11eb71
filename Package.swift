// swift-tools-version: 6.2
// Tocsin's modules and what each may use. Dependencies point downwards only; ARCHITECTURE.md says what belongs in each.

import PackageDescription

/// Strict in every module of ours: the compiler checks the direction of the arrows and every existential is visible.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

let package = Package(
  name: "tocsin",
  products: [
    .executable(name: "tocsin", targets: ["tocsin"]),
    .library(name: "Kafka", targets: ["Kafka"]),
  ],
  targets: [
    // The C boundary, as thin as can be.
    .systemLibrary(name: "CRdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),

    module("Locking"),
    module("Telemetry", ["Locking"]),
    module("Configuration", ["CYAML"]),
    module("Events", ["CSimdjson", "CCrypto"]),
    module("Expressions", ["Events", "CRE2"]),
    module("Tables", ["Events"]),
    module("Alerts", ["Events", "CCrypto"]),
    module("Detection", ["Events", "Expressions"]),
    module("Kafka", ["CRdkafka", "Locking"]),
    module(
      "Pipeline",
      ["Events", "Expressions", "Tables", "Detection", "Alerts", "Configuration", "Telemetry", "Locking"]),
    module("KafkaTransport", ["Pipeline", "Kafka", "Events", "Detection", "Tables", "Telemetry", "Locking"]),
    .executableTarget(
      name: "tocsin",
      dependencies: [
        "KafkaTransport", "Pipeline", "Kafka", "Configuration", "Telemetry", "Events", "Expressions", "Tables",
        "Detection", "Alerts", "Locking",
      ],
      swiftSettings: strict),

    // Seeded random numbers, for every test that draws its input.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    tests("LockingTests", ["Locking"]),
    tests("TelemetryTests", ["Telemetry", "Locking"]),
    tests("ConfigurationTests", ["Configuration", "TestSupport"]),
    tests("EventsTests", ["Events", "TestSupport"]),
    tests("ExpressionsTests", ["Expressions", "Events", "TestSupport"]),
    tests("TablesTests", ["Tables", "Events", "TestSupport"]),
    tests("AlertsTests", ["Alerts", "Events", "TestSupport"], resources: [.copy("Golden")]),
    tests("DetectionTests", ["Detection", "Expressions", "Events", "TestSupport"]),
    // A real Kafka for the tests that need one; a target, since several test targets do.
    .target(
      name: "KafkaTestSupport", dependencies: ["Kafka", "Locking"], path: "Tests/KafkaTestSupport",
      swiftSettings: strict),
    // Whole runs in memory, with faults, from one number; a target, since tests and `make simulate` both run it.
    .target(
      name: "Simulator", dependencies: ["Pipeline", "Detection", "Events", "Configuration", "Telemetry"],
      path: "Tests/Simulator", swiftSettings: strict),
    .executableTarget(name: "simulate", dependencies: ["Simulator"], path: "Tests/Simulate", swiftSettings: strict),
    tests("SimulatorTests", ["Simulator"]),
    // Processes and brokers are killed, and every alert is held against the truth: a program, and a short run of it as a test.
    .target(
      name: "TortureSupport", dependencies: ["Kafka", "KafkaTestSupport", "Locking", "CCrypto"],
      path: "Tests/Torture/Support", swiftSettings: strict),
    .executableTarget(
      name: "torture", dependencies: ["TortureSupport", "KafkaTestSupport"], path: "Tests/Torture/Command",
      swiftSettings: strict),
    tests("KafkaTests", ["Kafka", "KafkaTestSupport", "Locking"]),
    tests(
      "PipelineTests",
      [
        "Pipeline", "Events", "Expressions", "Tables", "Detection", "Alerts", "Configuration", "Telemetry", "Locking",
        "TestSupport",
      ],
      resources: [.copy("Fixtures")]),
    tests(
      "KafkaTransportTests",
      ["KafkaTransport", "Pipeline", "Detection", "Kafka", "KafkaTestSupport", "Events", "Telemetry", "Locking"]),
    tests(
      "TocsinTests",
      [
        "tocsin", "Configuration", "Kafka", "KafkaTestSupport", "Pipeline", "Telemetry", "TortureSupport", "Tables",
        "Events", "Locking",
      ]),
  ],
  cxxLanguageStandard: .cxx17
)
