// Where the time of many decisions went: a histogram for each layer and one for their sum, printed as a table
// for people, beside the budget where there is one.

import Core

public struct LayerTimes: Sendable {
  private var histograms = [LatencyHistogram](repeating: .init(), count: Layer.allCases.count)
  private var totals = LatencyHistogram()

  public init() {}

  /// Nanoseconds of one decision, one for each layer in the order of `Layer.allCases`.
  public mutating func record(_ nanoseconds: [UInt64]) {
    precondition(nanoseconds.count == histograms.count, "one time for each layer")
    var total: UInt64 = 0
    for (index, value) in nanoseconds.enumerated() {
      histograms[index].record(value)
      total += value
    }
    totals.record(total)
  }

  /// Rows `layer  p50  p95  p99` and, with a budget, its bound and whether it holds.
  public func table(_ budget: Budget?) -> String {
    guard totals.count > 0 else { return "" }
    var header = Help.padded("  layer", 16)
    for name in ["p50", "p95", "p99"] { header += name.leftPadded(10) }
    if let budget { header += "   budget at p\(budget.percentile.plain)" }
    var text = header + "\n"
    for (index, layer) in Layer.allCases.enumerated() {
      text += row(layer.rawValue, histograms[index], budget?.layers[layer], budget?.percentile)
    }
    return text + row("total", totals, budget?.total, budget?.percentile)
  }

  private func row(
    _ name: String, _ histogram: LatencyHistogram, _ bound: TimeSpan?, _ percentile: Double?
  ) -> String {
    var text = Help.padded("  \(name)", 16)
    for percent in [50.0, 95, 99] {
      text += LayerTimes.readable(histogram.percentile(percent)!).leftPadded(10)
    }
    if let bound, let percentile {
      let holds = histogram.percentile(percentile)! <= bound.nanoseconds
      text += "   \(Help.padded(bound.description, 8)) \(holds ? "ok" : "over")"
    }
    return text + "\n"
  }

  /// Three digits and a unit: "3.12 µs".
  public static func readable(_ nanoseconds: UInt64) -> String {
    let (scale, unit): (Double, String) =
      switch nanoseconds {
      case 0..<1_000: (1, "ns")
      case 1_000..<1_000_000: (1e3, "µs")
      case 1_000_000..<1_000_000_000: (1e6, "ms")
      default: (1e9, "s")
      }
    let value = Double(nanoseconds) / scale
    let decimals = scale == 1 || value >= 100 ? 0 : value >= 10 ? 1 : 2
    return "\(value.fixed(decimals)) \(unit)"
  }
}

extension String {
  public func leftPadded(_ width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }
}
