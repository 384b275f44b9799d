// How complete each window of event time was when the watermark passed it: what had been accepted by then, of all
// that has come up to now. What comes behind the watermark is refused, so that what a window lacks is what was
// refused as late.
//
//     window        14:00 ──── 15:00 ──── 16:00          watermark 16:05
//     accepted           498        512
//     late                14          0                  498 of 512: 97.3 %, and complete
//
// Memory is flat: of the newest windows alone the counts are kept, and what the older ones came to. Events of windows that
// were let go before the watermark has passed them are in no window's figure, but counted.

public import Core

public struct WindowCompleteness: Sendable {
  public struct Window: Sendable {
    public let start: Timestamp
    public fileprivate(set) var accepted = 0
    public fileprivate(set) var late = 0

    public var events: Int { accepted + late }
    /// From 0 to 1.
    public var share: Double { events > 0 ? Double(accepted) / Double(events) : 1 }
  }

  /// What all windows came to that the watermark has passed.
  public struct Summary: Sendable {
    public var windows = 0
    public var incomplete = 0
    /// The one that lacks the largest share; the earliest of equal ones.
    public var least: Window?

    mutating func add(_ window: Window) {
      windows += 1
      if window.late > 0 { incomplete += 1 }
      if let least, least.share <= window.share { return }
      least = window
    }
  }

  public static let windowsMax = 10_000

  public let length: TimeSpan
  /// By their start, ascending.
  private var windows: [Window] = []
  /// Where the last event's is.
  private var last = 0
  private let keptMax: Int
  /// Of those that are no longer kept.
  private var older = Summary()
  /// Windows that the watermark had not passed when there were too many to keep.
  public private(set) var dropped = 0
  /// Late events of windows that are no longer kept; they are in no window's figure.
  public private(set) var beyond = 0
  /// Windows that begin earlier are not told of: an earlier run has seen events of theirs, or they are no longer kept.
  private var since: Timestamp

  /// - Parameters:
  ///   - length: of a window; windows begin at its multiples since the epoch.
  ///   - since: windows that begin before it are not told of.
  public init(
    _ length: TimeSpan, since: Timestamp = .distantPast, keptMax: Int = windowsMax
  ) {
    precondition(length > .zero && keptMax > 0, "windows have a length, and some are kept")
    self.length = length
    self.keptMax = keptMax
    self.since = since
  }

  /// How many are no longer kept, of those that the watermark has passed.
  public var olderCount: Int { older.windows }

  /// - Parameter watermark: as far as it has come.
  mutating func accept(_ time: Timestamp, watermark: Timestamp) {
    guard let index = index(time, watermark) else { return }
    windows[index].accepted += 1
  }

  mutating func refuse(_ time: Timestamp, watermark: Timestamp) {
    guard let index = index(time, watermark) else {
      beyond += 1
      return
    }
    windows[index].late += 1
  }

  /// - Complexity: O(1) for the window of the event before, O(log windows) for another one, O(windows) for a new one
  ///   that is not the newest.
  private mutating func index(_ time: Timestamp, _ watermark: Timestamp) -> Int? {
    if last < windows.count, contains(windows[last].start, time) { return last }
    let start = time.roundedDown(to: length)
    guard start >= since else { return nil }
    var low = 0
    var high = windows.count
    while low < high {
      let middle = (low + high) / 2
      if windows[middle].start < start { low = middle + 1 } else { high = middle }
    }
    if low == windows.count || windows[low].start != start {
      if windows.count == keptMax {
        guard low > 0 else { return nil }
        low -= makeRoom(before: low, watermark)
      }
      windows.insert(Window(start: start), at: low)
    }
    last = low
    return low
  }

  /// Lets some of the oldest go, several at a time as all others move.
  ///
  /// - Returns: how many, 1 or more and none behind `place`.
  private mutating func makeRoom(before place: Int, _ watermark: Timestamp) -> Int {
    let count = min(max(1, keptMax / 16), place)
    for window in windows[..<count] {
      if window.start + length <= watermark { older.add(window) } else { dropped += 1 }
    }
    // Or an event that comes late would make a window anew that has lost its counts.
    since = max(since, windows[count - 1].start + length)
    windows.removeFirst(count)
    return count
  }

  @inline(__always)
  private func contains(_ start: Timestamp, _ time: Timestamp) -> Bool {
    time >= start && time < start + length
  }

  /// Those that are kept and that the watermark has passed, by their start.
  public func passed(_ watermark: Timestamp) -> ArraySlice<Window> {
    windows.prefix { $0.start + length <= watermark }
  }

  /// - Parameter watermark: as far as it has come; windows that end later are not summed up.
  public func summary(passed watermark: Timestamp) -> Summary {
    var summary = older
    for window in self.passed(watermark) { summary.add(window) }
    return summary
  }
}
