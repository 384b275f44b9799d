// What a log's writer is told.

public import Core

/// When what was written is brought to the disk, and so what it means that an event was passed on.
public enum FsyncPolicy: Sendable, Equatable {
  /// Before it is passed on, many events in one sync: it survives a power cut.
  case always
  /// It is written, and survives a crash of the program; at most so much later also a power cut.
  case interval(TimeSpan)
  /// It is written; the system brings it to the disk when it likes.
  case never

  public static let standard = FsyncPolicy.interval(TimeSpan(microseconds: 100_000))
  public static let expectation = "always, never, or interval: and a duration, as in interval:100ms"

  /// Nil for anything but the three forms.
  public init?(_ text: String) {
    switch text {
    case "always": self = .always
    case "never": self = .never
    default:
      guard text.hasPrefix("interval:"), let span = TimeSpan(String(text.dropFirst(9))),
        span > .zero
      else { return nil }
      self = .interval(span)
    }
  }

  public var description: String {
    switch self {
    case .always: "always"
    case .interval(let span): "interval:\(span.description)"
    case .never: "never"
    }
  }
}

/// What may be removed from a log's beginning.
public struct LogRetention: Sendable, Equatable {
  /// Segments whose newest event was ingested longer ago; nil: however old.
  public var age: TimeSpan?
  /// The oldest segments, while all together have more bytes; nil: however large.
  public var bytes: Int?
  /// Also what a named consumer has yet to read.
  public var ignoresConsumers: Bool

  public init(age: TimeSpan? = nil, bytes: Int? = nil, ignoresConsumers: Bool = false) {
    self.age = age
    self.bytes = bytes
    self.ignoresConsumers = ignoresConsumers
  }
}

public struct LogSettings: Sendable {
  public var fsync: FsyncPolicy
  /// A segment that has so many bytes is closed and the next one begun.
  public var segmentBytes: Int
  public var retention: LogRetention

  public static let standardSegmentBytes = 256 << 20

  public init(
    fsync: FsyncPolicy = .standard, segmentBytes: Int = standardSegmentBytes,
    retention: LogRetention = LogRetention()
  ) {
    self.fsync = fsync
    self.segmentBytes = segmentBytes
    self.retention = retention
  }
}
