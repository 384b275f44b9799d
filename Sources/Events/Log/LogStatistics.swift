// A log summed up in one pass: how much there is, from when, and how far events came behind others that had
// happened after them.

public import Core

public struct LogStatistics {
  public private(set) var files = 0
  public private(set) var bytes = 0
  public private(set) var events = 0
  public private(set) var firstOffset: Int64 = 0
  public private(set) var nextOffset: Int64 = 0
  public private(set) var eventTimes = LogTimes()
  public private(set) var ingestTimes = LogTimes()
  /// Behind the latest event before them, whichever partition that came from.
  public private(set) var lateness = LatenessStatistics()
  public private(set) var consumers: [LogConsumer] = []
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
    lateness.record(event.time, front: eventTimes.latest)
    eventTimes.include(event.time)
    ingestTimes.include(event.ingested)
  }
}
