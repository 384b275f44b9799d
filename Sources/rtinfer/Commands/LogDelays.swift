// How long after they happened the events of a log were ingested: from then on they counted, and no earlier. The log knows
// both times of each event, so nothing is parsed.

import Core
import Events

struct LogDelays {
  let count: Int
  let median: TimeSpan
  /// 99 in 100 events were there by then.
  let p99: TimeSpan

  /// A log that was filled long after has no delays to tell of, nor has one of which a part was: that part comes more than a
  /// day late, and out of all proportion to the others.
  private static let medianMax = TimeSpan.days(1)
  private static let p99Max = TimeSpan.days(1)
  private static let proportionMax: Int64 = 10

  /// - Complexity: a pass over the log; memory is flat.
  static func measure(_ invocation: Invocation) throws(Failure) -> LogDelays {
    let folder = try LogFlags.folder(invocation, try Project.find(invocation))
    let reader = try LogReader(folder, files: invocation.files)
    // Of milliseconds, within 1 %.
    var delays = LatencyHistogram(bits: 7)
    while let events = try reader.next() {
      events.visit { (event) in
        let late = max(0, event.ingested.microseconds - event.time.microseconds)
        delays.record(UInt64((late + 999) / 1_000))
      }
    }
    guard let median = delays.percentile(50), let p99 = delays.percentile(99) else {
      throw Failure(
        .inconclusive, "\(folder): holds no events, so there is no delay to take from it")
    }
    let found = LogDelays(
      count: delays.count, median: TimeSpan(microseconds: Int64(median) * 1_000),
      p99: TimeSpan(microseconds: Int64(p99) * 1_000))
    guard found.median <= medianMax else {
      throw .usage(
        "\(folder): half of its events were ingested \(found.median.description) or more after they"
          + " happened, so it was filled later and tells of no delay",
        hint: "--\(BenchAB.ingestDelay.name) SPAN says how late events come")
    }
    let usual = found.median.microseconds * proportionMax
    guard found.p99 <= p99Max || found.p99.microseconds <= usual else {
      throw .usage(
        "\(folder): 1 in 100 of its events were ingested \(found.p99.description) or more after they"
          + " happened, half of them within \(found.median.description), so a part was filled later and"
          + " 99 in 100 tell of no delay",
        hint: "--\(BenchAB.ingestDelay.name) SPAN says how late events come")
    }
    return found
  }
}
