// How far event time has come. The watermark moves with the records, never with the wall clock, so a replay
// gives the same decisions about what is late. It says: no event earlier than this will be accepted.
//
//     partition 0: max seen 10:07 ┐
//     partition 1: max seen 10:04 ┴─ minimum 10:04 − lateness 5m ─▶ 9:59, and it never goes back

public import Core

public struct Watermark: Sendable {
  let lateness: TimeSpan
  /// How far behind the others an added partition may fall and still hold the watermark back; nil: however far.
  private let idle: TimeSpan?
  /// The first of those that were added.
  private let firstAdded: Int
  /// The latest event time seen in each partition; nil once the partition has ended.
  private var latest: [Timestamp?]
  private var latestOfAll = Timestamp.distantPast
  public private(set) var current = Timestamp.distantPast
  /// How far all partitions have come, whatever the lateness; the distant past before they have spoken.
  private(set) var front = Timestamp.distantPast

  /// - Parameters:
  ///   - partitions: how many inputs there are; each holds the watermark back until it has spoken.
  ///   - idle: in event time, for partitions that are added; one that has fallen further behind counts again
  ///     when it has caught up.
  public init(partitions: Int, lateness: TimeSpan, idle: TimeSpan? = nil) {
    self.lateness = lateness
    self.idle = idle
    self.firstAdded = partitions
    self.latest = Array(repeating: .distantPast, count: partitions)
  }

  /// An event of this time was read from the partition.
  public mutating func observe(_ time: Timestamp, partition: Int) {
    if let known = latest[partition] {
      guard time > known else { return }
    } else if partition < firstAdded {
      return
    }
    latest[partition] = time
    latestOfAll = max(latestOfAll, time)
    advance()
  }

  /// A further partition, of a source behind the inputs. It holds the others back once it has spoken, and
  /// again whenever it does after its end.
  mutating func addPartition() -> Int {
    latest.append(nil)
    return latest.count - 1
  }

  /// The partition has no more events; it no longer holds the others back. The last one to end leaves the
  /// watermark where it is: more may come another day.
  public mutating func end(partition: Int) {
    latest[partition] = nil
    advance()
  }

  /// An earlier run had come so far.
  mutating func raise(to time: Timestamp) {
    current = max(current, time)
    front = max(front, time + lateness)
  }

  private mutating func advance() {
    let bound = idle.map { latestOfAll - $0 } ?? .distantPast
    var minimum = Timestamp.distantFuture
    for index in 0..<latest.count {
      guard let time = latest[index], time < minimum else { continue }
      if index < firstAdded || time >= bound { minimum = time }
    }
    guard minimum < .distantFuture, minimum > .distantPast else { return }
    front = max(front, minimum)
    // No event is earlier than what can be written, so no watermark need be.
    current = max(current, minimum - lateness, Timestamp.writable.lowerBound)
  }
}
