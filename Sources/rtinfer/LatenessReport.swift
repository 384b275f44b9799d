// What ingest says at its end about events that came out of order: how far they were behind, which `lateness` would
// have kept them, and how complete the windows of event time were when the watermark passed them.

import Core
import Events

enum LatenessReport {
  static func sentence(_ intake: EventIntake) -> String {
    let lateness = intake.lateness
    func enough(_ percent: Double) -> String { lateness.lateness(keeping: percent).description }
    return
      "\(percent(lateness.shareOutOfOrder)) out of order, behind by \(enough(50)) at the median,"
      + " \(enough(99)) at p99, \(enough(100)) at most;"
      + " \(percent(lateness.shareRefused)) rejected as late;"
      + " a lateness of \(enough(99)) keeps 99%, \(enough(99.9)) 99.9%, \(enough(100)) all"
  }

  /// Of the windows that the watermark has passed; nil where there are none.
  static func windows(_ intake: EventIntake) -> String? {
    guard let windows = intake.lateness.windows else { return nil }
    let summary = windows.summary(passed: intake.currentWatermark)
    guard let least = summary.least else {
      return windows.dropped > 0
        ? "\(windows.dropped.grouped) windows of \(windows.length.description) were too many to follow until the watermark"
          + " passed them: take a longer --window" : nil
    }
    let opener =
      "windows of \(windows.length.description) that the watermark has passed: \(summary.windows.grouped)"
    var beyond =
      windows.beyond > 0 ? "; \(windows.beyond.grouped) late events were of earlier windows" : ""
    if windows.dropped > 0 {
      beyond +=
        "; of \(windows.dropped.grouped) more, too many to follow until it passed them, nothing is known:"
        + " take a longer --window"
    }
    guard summary.incomplete > 0 else { return "\(opener), all of them complete\(beyond)" }
    return
      "\(opener), of which \(summary.incomplete.grouped) lack late events; the least complete, from"
      + " \(least.start.rfc3339), has \(least.accepted.grouped) of its"
      + " \(least.events.grouped)\(beyond)"
  }

  /// `--windows FILE`: a line for each window that the watermark has passed, by their start.
  static func writeWindows(_ intake: EventIntake, _ invocation: Invocation) throws(Failure) {
    guard let path = try invocation.options.value(EventFlags.windows),
      let windows = intake.lateness.windows
    else { return }
    let output = OutputBuffer(MemorySink())
    for window in windows.passed(intake.currentWatermark) {
      output.append("{\"kind\":\"window\",\"start\":")
      output.appendQuoted(window.start)
      output.append(",\"end\":")
      output.appendQuoted(window.start + windows.length)
      output.append(",\"events\":")
      output.append(Int64(window.events))
      output.append(",\"late\":")
      output.append(Int64(window.late))
      output.append(",\"complete\":")
      output.append(window.share)
      output.append("}\n")
    }
    try OutputFile.write(output.pending, to: path, in: invocation.files)
  }

  /// With three significant digits.
  private static func percent(_ share: Double) -> String {
    let percent = share * 100
    let digits = percent >= 10 ? 10.0 : percent >= 1 ? 100.0 : 1_000.0
    return "\(((percent * digits).rounded() / digits).plain)%"
  }
}
