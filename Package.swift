// swift-tools-version: 6.2
import PackageDescription

// One binary on a shared core. Arrows between the modules point one way only:
//
//     Core ◀── Events ◀── Features ◀─┐
//      ▲◀───── Models ◀──────────────┼── Decisions ◀── Service ◀── rtinfer (one file a command)
//      ├▶ Wide ◀─┘                   │                    ▼
//      ├────── Measure ◀─────────────┘                  HTTP
//      └───────────────────────────────────────────────────┘
//
// Replay stands beside Service: on Decisions, Events and Measure, under rtinfer.
//
// A hot call tree stays inside one module; modules meet once per record or per batch.

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
  // Overlapping access to a class's properties is looked for while testing; in a release the look itself
  // would take a twentieth of the time.
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

#if arch(x86_64)
  let wide = ["-Xcc", "-mavx2", "-Xcc", "-mbmi2"]
#else
  let wide: [String] = []
#endif

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: strict)
}

let package = Package(
  name: "rtinfer",
  products: [.executable(name: "rtinfer", targets: ["rtinfer"])],
  targets: [
    .systemLibrary(name: "SystemHeaders"),
    module("Core", ["SystemHeaders", "Wide"]),
    module("Events", ["Core"]),
    module("Features", ["Core", "Events"]),
    // Called only where the processor has AVX2; see Processor.swift.
    .target(
      name: "Wide", dependencies: ["SystemHeaders"],
      swiftSettings: strict + [.unsafeFlags(wide)]),
    module("Models", ["Core", "Wide"]),
    module("Measure", ["Core"]),
    module("Decisions", ["Core", "Features", "Models"]),
    module("Replay", ["Core", "Events", "Features", "Decisions", "Measure"]),
    module("HTTP", ["Core", "SystemHeaders"]),
    module(
      "Service", ["Core", "HTTP", "Decisions", "Events", "Features", "Models", "Measure"]),
    .executableTarget(
      name: "rtinfer",
      dependencies: [
        "Core", "Events", "Features", "Models", "Measure", "Decisions", "Replay", "HTTP",
        "Service",
      ],
      swiftSettings: strict),
    .target(
      name: "TestSupport", dependencies: ["Core"], path: "Tests/TestSupport", swiftSettings: strict),
    tests("CoreTests", ["Core"]),
    .executableTarget(
      name: "benchmarks", dependencies: ["Core"], path: "Tests/Benchmarks", swiftSettings: strict),
    tests("DecisionsTests", ["Core", "Decisions", "Models"]),
    tests("EventsTests", ["Core", "Events"]),
    tests("FeaturesTests", ["Core", "Events", "Features"]),
    tests("HTTPTests", ["Core", "HTTP"]),
    tests("MeasureTests", ["Core", "Measure"]),
    tests("ModelsTests", ["Core", "Models", "Wide"]),
    tests(
      "ReplayTests", ["Core", "Events", "Features", "Models", "Measure", "Decisions", "Replay"]),
    tests(
      "ServiceTests", ["Core", "HTTP", "Service", "Decisions", "Models", "Events", "Features"]),
    tests("CommandTests", ["Core", "HTTP", "Measure", "rtinfer", "benchmarks"]),
    tests("TidyTests", []),
  ]
)
