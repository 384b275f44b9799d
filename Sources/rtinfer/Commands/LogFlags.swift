// The flags that say where the durable log is, how it is written, and which of it is read.

import Core
import Events

enum LogFlags {
  static let log = Flag(
    "log", .optionalFolder,
    "Append accepted events to the durable log; they go on once they are in it",
    default: "no log; without DIR, log in the state folder")
  /// For commands that look at a log.
  static let place = Flag(
    "log", .optionalFolder, "The log's folder", default: "log in the state folder")
  static let state = Flag(
    "state", .folder, "The state folder", default: ".rtinfer beside the project file")
  static let fsync = Flag(
    "fsync", .text("WHEN"),
    "When the log is synced: always (before an event goes on), interval:SPAN, or never",
    default: FsyncPolicy.standard.description)
  static let segmentSize = Flag(
    "segment-size", .text("SIZE"), "Begin a new file of the log at this size", default: "256MiB")
  static let retainAge = Flag(
    "retain-age", .text("SPAN"), "Remove files of the log ingested longer ago", default: "keep all")
  static let retainSize = Flag(
    "retain-size", .text("SIZE"), "Remove the log's oldest files above this size in all",
    default: "keep all")
  static let retainForce = Flag(
    "retain-force", "Remove also what a named consumer has yet to read")
  static let wait = Flag(
    "wait", .text("SPAN"), "Wait so long for another run that is writing the log", default: "0s")
  static let writing = [log, state, fsync, segmentSize, retainAge, retainSize, retainForce, wait]

  /// Those that say where the log is.
  static let places = [log.name, state.name]

  static let replay = Flag(
    "replay", "Print events from the log as they were passed on, and read none")
  static let fromOffset = Flag("from-offset", .text("N"), "With --replay: begin with this offset")
  static let since = Flag(
    "since", .text("TIME"), "With --replay: not what is earlier (RFC 3339, or a day in UTC)")
  static let until = Flag("until", .text("TIME"), "With --replay: only what is earlier")
  static let by = Flag(
    "by", .choice(["event", "ingest"]), "Whose time --since, --until and --speed mean",
    default: "event")
  static let speed = Flag(
    "speed", .text("Nx|max"), "With --replay: as fast as it was recorded (1x), or faster",
    default: "max")
  static let follow = Flag(
    "follow", "Wait for more at the end of the log (--replay) or of a file, through its rotation")
  static let reading = [replay, fromOffset, since, until, by, speed]

  /// The log's folder.
  static func folder(_ invocation: Invocation, _ project: Project?) throws(Failure) -> String {
    if let named = try invocation.options.value(log), !named.isEmpty { return named }
    if let state = try invocation.options.value(state) { return "\(state)/log" }
    return project?.resolve(".rtinfer/log") ?? ".rtinfer/log"
  }

  /// The log that `--log` asks for, mended and ready; nil where there is to be none.
  static func open(_ invocation: Invocation, _ project: Project?) throws(Failure) -> LogWriter? {
    let options = invocation.options
    guard try options.value(log) != nil else {
      // Only what is typed counts: an environment may well set them for other runs.
      for flag in writing where options.isTyped(flag) {
        throw .usage("\(options.origin(flag)) is for --log")
      }
      return nil
    }
    let settings = try LogFlags.settings(options)
    let folder = try LogFlags.folder(invocation, project)
    let patience = try options.span(wait) ?? .zero
    let deadline =
      invocation.clock.monotonicNanoseconds() + patience.nanoseconds
    while true {
      do throws(Failure) {
        let writer = try LogWriter(
          folder, settings: settings, files: invocation.files, clock: invocation.clock)
        for sentence in writer.recovery.sentences { invocation.messages.note(sentence) }
        return writer
      } catch {
        let isPatient = invocation.clock.monotonicNanoseconds() < deadline
        guard error.status == .locked, isPatient, !Signals.sleep(milliseconds: 20) else {
          throw error
        }
      }
    }
  }

  static func settings(_ options: Options) throws(Failure) -> LogSettings {
    var settings = LogSettings()
    if let text = try options.value(fsync) {
      guard let policy = FsyncPolicy(text) else {
        throw .usage("\(options.origin(fsync)): '\(text)' is none of: \(FsyncPolicy.expectation)")
      }
      settings.fsync = policy
    }
    if let bytes = try LogFlags.bytes(segmentSize, options) {
      guard (1 << 16...Limits.logSegmentBytesMax).contains(bytes) else {
        throw .usage(
          "\(options.origin(segmentSize)): \(bytes) bytes is not between 64KiB and 2GiB")
      }
      settings.segmentBytes = bytes
    }
    settings.retention = LogRetention(
      age: try options.span(retainAge), bytes: try bytes(retainSize, options),
      ignoresConsumers: options.isOn(retainForce))
    return settings
  }

  private static let units: [(name: String, bytes: Double)] = [
    ("B", 1), ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12),
    ("KiB", 1_024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776),
  ]

  static func bytes(_ flag: Flag, _ options: Options) throws(Failure) -> Int? {
    guard let text = try options.value(flag) else { return nil }
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let unit = units.first { $0.name == text.dropFirst(digits.count) }
    guard let unit, let count = Double(digits), count * unit.bytes < 1e18 else {
      throw .usage(
        "\(options.origin(flag)): '\(text)' is not a size (a number and B, KB, MB, GB, TB, KiB,"
          + " MiB, GiB or TiB)")
    }
    return Int(count * unit.bytes)
  }

  /// Which events a replay prints.
  static func range(_ options: Options) throws(Failure) -> LogRange {
    var range = LogRange()
    if let text = try options.value(fromOffset) {
      guard let offset = Int64(text), offset >= 0 else {
        throw .usage("\(options.origin(fromOffset)): '\(text)' is not an offset (0, 1, 2 …)")
      }
      range.offsets = offset..<Int64.max
    }
    let first = try time(since, options) ?? .distantPast
    let end = try time(until, options) ?? .distantFuture
    guard first <= end else {
      throw .usage("--since \(first.rfc3339) is later than --until \(end.rfc3339)")
    }
    if try options.value(by) == "ingest" {
      range.ingestTimes = first..<end
    } else {
      range.eventTimes = first..<end
    }
    return range
  }

  static func time(_ flag: Flag, _ options: Options) throws(Failure) -> Timestamp? {
    guard let text = try options.value(flag) else { return nil }
    let whole = text.utf8.count == 10 ? "\(text)T00:00:00Z" : text
    guard let time = Array(whole.utf8).withBytes({ Timestamp(rfc3339: $0) }) else {
      throw .usage(
        "\(options.origin(flag)): '\(text)' is not a time",
        hint: "as in 2013-01-05 or 2013-01-05T10:15:00Z")
    }
    return time
  }

  /// How many times faster than recorded; nil: as fast as it goes.
  static func speed(_ options: Options) throws(Failure) -> Double? {
    guard let text = try options.value(speed), text != "max" else { return nil }
    guard text.last == "x", let factor = Double(text.dropLast()), factor > 0, factor.isFinite else {
      throw .usage("\(options.origin(speed)): '\(text)' is not a factor such as 1x or 10x, or max")
    }
    return factor
  }
}
