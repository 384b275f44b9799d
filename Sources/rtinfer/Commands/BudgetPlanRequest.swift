// What budget plan is asked for, by its flags; and percentages and numbers as they are typed there.

import Core

struct BudgetPlanRequest {
  let target: TimeSpan?
  let percent: Double
  let name: String
  let peak: Double?
  let margin: Double
  let workers: Int
  let service: TimeSpan?
  let variation: Double
  let seed: UInt64
  let confidence: Double

  init(_ options: Options) throws(Failure) {
    typealias Flags = BudgetPlan
    target = try options.span(Flags.target, atLeast: TimeSpan(microseconds: 100))
    percent = try options.number(Flags.percentile, in: 0.1...99.99) ?? 99
    name = try options.value(Flags.name) ?? "model"
    guard !name.isEmpty,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0)) })
    else {
      throw .usage(
        "\(options.origin(Flags.name)): '\(name)' is not made of letters, digits, '_', '-', '.'")
    }
    peak = try options.number(Flags.rate, in: 0.001...1e9)
    let marginText = try options.value(Flags.headroom) ?? "30%"
    guard let share = BudgetPlanRequest.percentage(marginText), (0...10).contains(share) else {
      throw .usage(
        "\(options.origin(Flags.headroom)): '\(marginText)' is not from 0% to 1000%", hint: "30%")
    }
    margin = share
    workers = try options.integer(Flags.workers, in: 1...10_000) ?? 1
    service = try options.span(Flags.service, atLeast: TimeSpan(microseconds: 1))
    variation = try options.number(Flags.variation, in: 0...10) ?? 1
    seed = UInt64(try options.integer(Flags.seed, in: 0...Int.max) ?? 1)
    confidence = try BudgetCheck.confidence(options)
    for flag in [Flags.headroom, Flags.workers, Flags.service, Flags.variation, Flags.seed]
    where peak == nil && options.isTyped(flag) {
      throw .usage("--\(flag.name) is for replicas; say --rate, the requests a second at the peak")
    }
  }

  static func percentage(_ text: String) -> Double? {
    text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
  }
}
