// HdrHistogram's percentile text (`.hgrm`), which its plotters read: a value, the share of requests up to it, their
// count and 1/(1 − share), each half of what is left in so many steps.
//
//            Value     Percentile TotalCount 1/(1-Percentile)
//            1.021 0.500000000000       5000           2.00

public import Core

public enum PercentileText {
  private static let stepsPerHalf = 5

  /// Milliseconds.
  public static func text(_ histogram: LatencyHistogram) -> String {
    var text = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
    guard histogram.count > 0 else { return text }
    var (seen, half, step) = (0, 1.0, 0)
    var levels: [Double] = []
    while half > 0.5 / Double(histogram.count) {
      levels.append(1 - half + half / 2 * Double(step) / Double(stepsPerHalf))
      step += 1
      if step == stepsPerHalf { (half, step) = (half / 2, 0) }
    }
    var next = 0
    histogram.forEachBucket { _, highest, count in
      seen += count
      let share = Double(seen) / Double(histogram.count)
      guard next < levels.count, share >= levels[next], seen < histogram.count else { return }
      while next < levels.count, levels[next] <= share { next += 1 }
      text += row(min(highest, histogram.maximum), share, seen)
    }
    text += row(histogram.maximum, 1, histogram.count)
    let mean = (Double(histogram.sum) / Double(histogram.count) / 1e6).fixed(3)
    text += "#[Mean    = \(mean.leftPadded(12)), Max     = "
    text += "\((Double(histogram.maximum) / 1e6).fixed(3).leftPadded(12))]\n"
    return text + "#[Total count    = \(String(histogram.count).leftPadded(12))]\n"
  }

  private static func row(_ value: UInt64, _ share: Double, _ count: Int) -> String {
    var text = (Double(value) / 1e6).fixed(3).leftPadded(12)
    text += " " + share.fixed(12).leftPadded(14) + " " + String(count).leftPadded(10)
    if share < 1 { text += " " + (1 / (1 - share)).fixed(2).leftPadded(14) }
    return text + "\n"
  }
}
