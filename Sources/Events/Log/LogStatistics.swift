// A log summed up in one pass: how much there is, from when, and how far events came behind others that had
// happened after them. The percentiles of that are what `lateness` would have kept so many of the events.

public import Core

public struct LogStatistics {
  public private(set) var files = 0
  public private(set) var bytes = 0
  public private(set) var events = 0
  public private(set) var firstOffset: Int64 = 0
  public private(set) var nextOffset: Int64 = 0
  public private(set) var eventTimes = LogTimes()
  public private(set) var ingestTimes = LogTimes()
  /// Events that came after one with a later time.
  public private(set) var outOfOrder = 0
  public private(set) var consumers: [LogConsumer] = []
  /// How far behind, in microseconds; 0 for events in order.
  private var lags = LatencyHistogram()

  /// How far so many percent of the events came behind at most.
  public func lateness(atPercent percent: Double) -> TimeSpan {
    let lag = percent >= 100 ? lags.maximum : lags.percentile(percent) ?? 0
    return TimeSpan(microseconds: Int64(clamping: lag))
  }

  /// - Complexity: O(bytes of the log).
  public init(_ path: String, files system: any FileSystem) throws(Failure) {
    let folder = LogFolder(path: path, files: system)
    let reader = try LogReader(path, files: system)
    let bases = try folder.bases()
    firstOffset = bases.first ?? 0
    while let batch = try reader.next() {
      batch.visit { add($0) }
    }
    nextOffset = max(reader.end.offset, firstOffset)
    consumers = try LogConsumers(folder).all()
    files = bases.count
    for base in bases { bytes += try SegmentFile(folder, base: base)?.size() ?? 0 }
  }

  private mutating func add(_ event: LogEvents.Event) {
    events += 1
    if event.time < eventTimes.latest { outOfOrder += 1 }
    eventTimes.include(event.time)
    ingestTimes.include(event.ingested)
    lags.record(UInt64(eventTimes.latest.microseconds - event.time.microseconds))
  }
}
