// Values with their times through a detector, and alerts out of it. The newest values are remembered, so that the
// beginning of a change can be told as a time, and the means before and after it as numbers.

public import Core

public final class StreamFollower {
  private static let newestMax = 65_536

  private let name: String
  private let kind: DetectorKind
  private var detector: any ChangeDetector
  /// Rings.
  private var times: [Timestamp?] = []
  private var newest: [Double] = []
  public private(set) var values = 0
  public private(set) var changes = 0
  private var isWarned = false
  /// Where the values begin that the last change led to.
  private var segmentStart = 0

  public init(_ name: String, _ kind: DetectorKind, _ detector: any ChangeDetector) {
    self.name = name
    self.kind = kind
    self.detector = detector
  }

  /// Takes the next value in and writes an alert where one is due.
  public func add(_ value: Double, at time: Timestamp?, to output: OutputBuffer) {
    let place = values % StreamFollower.newestMax
    if place < times.count {
      times[place] = time
      newest[place] = value
    } else {
      times.append(time)
      newest.append(value)
    }
    values += 1
    switch detector.add(value) {
    case .none: isWarned = false
    case .warning:
      if !isWarned { append("warning", nil, time, to: output) }
      isWarned = true
    case .change:
      isWarned = false
      changes += 1
      append("change", detector.delay, time, to: output)
    }
  }

  private func append(
    _ action: String, _ delay: Int?, _ time: Timestamp?, to output: OutputBuffer
  ) {
    output.append("{\"kind\":\"alert\",\"what\":")
    output.appendQuoted("drift(\(name))")
    output.append(",\"action\":")
    output.appendQuoted(action)
    output.append(",\"detector\":")
    output.appendQuoted(kind.rawValue)
    output.append(",\"n\":")
    output.append(Int64(values))
    if let time {
      output.append(",\"time\":")
      output.appendQuoted(time)
    }
    if let delay {
      let start = max(0, values - max(1, delay))
      output.append(",\"since_n\":")
      output.append(Int64(start + 1))
      if values - start <= StreamFollower.newestMax {
        appendMeans(from: start, to: output)
      }
      segmentStart = start
    }
    output.append("}\n")
  }

  private func appendMeans(from start: Int, to output: OutputBuffer) {
    if let since = times[start % StreamFollower.newestMax] {
      output.append(",\"since\":")
      output.appendQuoted(since)
    }
    output.append(",\"value\":")
    output.append(mean(start..<values))
    let before = max(segmentStart, values - StreamFollower.newestMax)
    if before < start {
      output.append(",\"before\":")
      output.append(mean(before..<start))
    }
  }

  private func mean(_ range: Range<Int>) -> Double {
    range.reduce(0) { $0 + newest[$1 % StreamFollower.newestMax] } / Double(range.count)
  }
}
