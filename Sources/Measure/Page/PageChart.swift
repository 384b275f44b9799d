// A chart as inline SVG: lines or points over two axes, each linear or logarithmic, ticks at round places, and a key. The
// figures themselves are in tables beside it; a chart rounds to a tenth of a point.
//
//     10 ms ┤        ╭──╮           left: the labels of y, 52 wide
//      1 ms ┤────────╯  ╰───        below: the labels of x, 20 high
//           └┬──────┬──────┬
//            0 s    5 s    10 s

public import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct PageChart {
  public struct Axis {
    let label: String
    let isLogarithmic: Bool
    /// Where the axis is marked, ascending, with what stands there.
    let ticks: [(value: Double, text: String)]
    let low: Double
    let high: Double

    /// - Precondition: `low` is below `high`, and above zero where the axis is logarithmic.
    public init(
      label: String, isLogarithmic: Bool, ticks: [(value: Double, text: String)], low: Double,
      high: Double
    ) {
      precondition(low < high && (!isLogarithmic || low > 0), "an axis has a length")
      (self.label, self.isLogarithmic, self.ticks) = (label, isLogarithmic, ticks)
      (self.low, self.high) = (low, high)
    }

    /// From 0 to 1 along the axis.
    func place(_ value: Double) -> Double {
      if isLogarithmic {
        return log(max(value, low) / low) / log(high / low)
      }
      return (value - low) / (high - low)
    }
  }

  public enum Shape: Sendable { case line, marks, openMarks }

  public struct Series {
    let name: String
    /// Of the six colours.
    let colour: Int
    let shape: Shape
    let points: [(x: Double, y: Double)]

    public init(name: String, colour: Int, shape: Shape, points: [(x: Double, y: Double)]) {
      (self.name, self.colour, self.shape, self.points) = (name, colour, shape, points)
    }
  }

  let title: String
  let x: Axis
  let y: Axis
  let series: [Series]

  public init(title: String, x: Axis, y: Axis, series: [Series]) {
    (self.title, self.x, self.y, self.series) = (title, x, y, series)
  }

  private static let (width, height) = (340.0, 190.0)
  private static let (left, right, top, bottom) = (52.0, 8.0, 8.0, 24.0)

  private func across(_ value: Double) -> String {
    let inner = PageChart.width - PageChart.left - PageChart.right
    return (PageChart.left + inner * min(1, max(0, x.place(value)))).fixed(1)
  }

  private func up(_ value: Double) -> String {
    let inner = PageChart.height - PageChart.top - PageChart.bottom
    return (PageChart.height - PageChart.bottom - inner * min(1, max(0, y.place(value)))).fixed(1)
  }

  /// The figure and its key.
  public func append(to output: OutputBuffer) {
    output.append("<figure><h3>\(title.escapedXML)</h3><svg class=\"chart\" role=\"img\"" as String)
    output.append(" viewBox=\"0 0 340 190\" aria-label=\"\(title.escapedXML)\">" as String)
    appendAxes(to: output)
    for one in series where !one.points.isEmpty {
      output.append("<g class=\"s\(one.colour)\">" as String)
      switch one.shape {
      case .line:
        let points = one.points.map { "\(across($0.x)),\(up($0.y))" }.joined(separator: " ")
        output.append("<polyline class=\"line\" points=\"\(points)\"/>" as String)
      case .marks, .openMarks:
        let kind = one.shape == .marks ? "mark" : "open"
        for point in one.points {
          output.append(
            "<circle class=\"\(kind)\" cx=\"\(across(point.x))\" cy=\"\(up(point.y))\" r=\"3.2\"/>"
              as String)
        }
      }
      output.append("</g>")
    }
    output.append("</svg><figcaption class=\"key\">")
    for one in series where one.shape == .line {
      output.append("<span><i class=\"s\(one.colour)\"></i>\(one.name.escapedXML)</span>" as String)
    }
    output.append("<span>across: \(x.label.escapedXML)</span></figcaption></figure>" as String)
  }

  private func appendAxes(to output: OutputBuffer) {
    let (left, foot) = (PageChart.left.fixed(1), (PageChart.height - PageChart.bottom).fixed(1))
    let end = (PageChart.width - PageChart.right).fixed(1)
    for tick in y.ticks {
      let level = up(tick.value)
      output.append(
        "<line class=\"grid\" x1=\"\(left)\" x2=\"\(end)\" y1=\"\(level)\" y2=\"\(level)\"/>"
          as String)
      output.append(
        "<text x=\"48\" y=\"\(level)\" dy=\"4\" text-anchor=\"end\">\(tick.text.escapedXML)</text>"
          as String)
    }
    output.append(
      "<line class=\"grid\" x1=\"\(left)\" x2=\"\(left)\" y1=\"8\" y2=\"\(foot)\"/>" as String)
    for (index, tick) in x.ticks.enumerated() {
      let anchor = index == x.ticks.count - 1 ? "end" : index == 0 ? "start" : "middle"
      let place = across(tick.value)
      output.append(
        "<text x=\"\(place)\" y=\"184\" text-anchor=\"\(anchor)\">\(tick.text.escapedXML)</text>"
          as String)
    }
  }
}

extension PageChart.Axis {
  /// Of times in nanoseconds, by powers of ten around all values; a tick at each, or at each second one.
  static func latency(_ values: [Double]) -> PageChart.Axis {
    let positive = values.filter { $0 > 0 }
    let low = pow(10, log10(positive.min() ?? 1_000).rounded(.down))
    let high = max(low * 10, pow(10, log10(positive.max() ?? 1_000_000).rounded(.up)))
    let decades = Int(log10(high / low).rounded())
    let step = decades > 5 ? 2 : 1
    let ticks = stride(from: 0, through: decades, by: step).map { index in
      let value = low * pow(10, Double(index))
      return (value: value, text: roundTime(value))
    }
    return PageChart.Axis(
      label: "latency", isLogarithmic: true, ticks: ticks, low: low, high: high)
  }

  /// "10 ms": a power of ten in whole units.
  private static func roundTime(_ nanoseconds: Double) -> String {
    let units: [(Double, String)] = [(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns")]
    let (scale, name) = units.first { nanoseconds >= $0.0 * 0.999 } ?? (1, "ns")
    return "\((nanoseconds / scale).rounded().plain) \(name)"
  }

  /// From 0, with about four round ticks.
  static func linear(_ label: String, through most: Double, unit: String = "") -> PageChart.Axis {
    let most = max(most, 1)
    let rough = most / 4
    let power = pow(10, log10(rough).rounded(.down))
    let step = max(1, [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough)
    let ticks = stride(from: 0, through: most * 1.0001, by: step).map {
      (value: $0, text: PageChart.Axis.short($0) + unit)
    }
    return PageChart.Axis(
      label: label, isLogarithmic: false, ticks: ticks, low: 0,
      high: max(most, ticks.last?.value ?? 1))
  }

  /// Around all values, with about four round ticks; above and below zero.
  public static func around(
    _ label: String, _ values: [Double], unit: String = ""
  ) -> PageChart.Axis {
    let (least, most) = (values.min() ?? 0, values.max() ?? 1)
    let spread = most > least ? most - least : max(1, most.magnitude)
    let rough = spread / 4
    let power = pow(10, log10(rough).rounded(.down))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
    let (low, high) = ((least / step).rounded(.down), (most / step).rounded(.up))
    let ticks = stride(from: low, through: max(high, low + 1), by: 1).map {
      (value: $0 * step, text: PageChart.Axis.short($0 * step) + unit)
    }
    return PageChart.Axis(
      label: label, isLogarithmic: false, ticks: ticks, low: ticks[0].value,
      high: ticks.last!.value)
  }

  /// Of spans in seconds, by their logarithm: from a second to a day, or as far as they reach.
  public static func spans(_ label: String, _ seconds: [Double]) -> PageChart.Axis {
    let known: [(Double, String)] = [
      (1, "1s"), (10, "10s"), (60, "1m"), (600, "10m"), (3_600, "1h"), (21_600, "6h"),
      (86_400, "1d"), (604_800, "7d"),
    ]
    let (least, most) = (seconds.min() ?? 1, seconds.max() ?? 86_400)
    let low = known.last { $0.0 <= least }?.0 ?? least
    let high = known.first { $0.0 >= most && $0.0 > low }?.0 ?? max(most, low * 2)
    return PageChart.Axis(
      label: label, isLogarithmic: true,
      ticks: known.filter { (low...high).contains($0.0) }.map { (value: $0.0, text: $0.1) },
      low: low, high: high)
  }

  /// "12k", "1.5M".
  static func short(_ value: Double) -> String {
    guard value >= 0 else { return "-\(short(-value))" }
    return switch value {
    case 1e6...: "\(((value / 1e5).rounded() / 10).plain)M"
    case 1e4...: "\(((value / 1e2).rounded() / 10).plain)k"
    default: ((value * 10).rounded() / 10).plain
    }
  }
}
