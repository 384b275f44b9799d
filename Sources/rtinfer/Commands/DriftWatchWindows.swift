// drift watch --every: windows of event time, each compared with an earlier one or with a profile.

import Core
import Measure

extension WindowFollower: RecordSink {
  func endRecord() throws(Failure) { try closeWindows() }
}

enum DriftWatchWindows {
  static let every = Flag(
    "every", .text("SPAN"),
    "Compare windows of this length of event time, aligned to the epoch, in place of single values")
  static let against = Flag(
    "against", .text("SPAN"), "The window to compare with lies this long before: 1d, 7d",
    default: "the window before, or --reference")
  static let lateness = Flag(
    "lateness", .text("SPAN"), "How long a window stays open beyond its end, in event time",
    default: "0s")

  /// What means something for windows only.
  static let flags =
    [against, lateness, DriftInput.columns, DriftInput.without, DriftInput.under]
    + DriftCheck.rules
  /// What means something for single values only.
  private static let valueFlags = [DriftWatch.column, DriftWatch.detector, DriftWatch.runLength]

  /// Without --every its flags would do nothing.
  static func refuseFlags(_ options: Options) throws(Failure) {
    for flag in flags where options.isTyped(flag) {
      throw .usage(
        "--\(flag.name) is for windows, and --every is not given",
        hint: "rtinfer drift watch --every 1d compares each day with the day before")
    }
  }

  static func run(_ invocation: Invocation, every: TimeSpan) throws(Failure) -> ExitStatus {
    let options = invocation.options
    for flag in valueFlags where options.isTyped(flag) {
      throw .usage(
        "--\(flag.name) and --every are both given: windows are compared as drift check does",
        hint: "--columns chooses what is compared")
    }
    let rejects = try Rejects(invocation)
    let messages = invocation.messages
    let follower = WindowFollower(
      try DriftInput.choice(options), time: try options.value(DriftInput.time) ?? "time",
      unit: try options.value(DriftInput.timeUnit).flatMap(TimeUnit.init(rawValue:)) ?? .rfc3339,
      every: every, lateness: try options.span(lateness) ?? .zero,
      try comparison(invocation, every), try DriftCheck.rules(invocation), clock: invocation.clock
    ) { (closed) throws(Failure) in
      closed.appendAlerts(to: invocation.output)
      // An alert does not wait for others.
      if invocation.output.count > 0 { try invocation.output.flush() }
    }
    let progress = Progress(invocation)
    for source in try invocation.inputs(options.operands) {
      try DriftInput.read(
        LineReader(source), try options.value(DriftInput.format) ?? "auto", follower, rejects,
        progress)
    }
    progress.finish()
    let status = try rejects.finish(total: progress.count)
    if follower.late > 0 {
      messages.note("left out, as their windows had closed: \(follower.late.grouped) records")
    }
    messages.note(
      "\(follower.windows) windows have closed, \(follower.compared) were compared,"
        + " \(follower.drifted) have drifted; still open: \(follower.openStarts.count)")
    if follower.drifted > 0 { return .verdictNo }
    return follower.compared > 0 ? status : .inconclusive
  }

  private static func comparison(
    _ invocation: Invocation, _ every: TimeSpan
  ) throws(Failure) -> WindowFollower.Comparison {
    let options = invocation.options
    let distance = try options.span(against)
    if let path = try options.value(DriftWatch.reference) {
      guard distance == nil else {
        throw .usage("--reference and --against are both given: one of them is compared with")
      }
      return .reference(try DriftCheck.chosen(path, invocation), name: path)
    }
    let span = distance ?? every
    guard span >= every, span.microseconds % every.microseconds == 0,
      span.microseconds / every.microseconds <= Int64(Profile.windowsMax)
    else {
      throw .usage(
        "\(options.origin(against)): \(span.description) is not 1 to \(Profile.windowsMax) times"
          + " --every, \(every.description)")
    }
    return .earlier(by: span)
  }
}
