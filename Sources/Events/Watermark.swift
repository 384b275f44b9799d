// How far event time has come. The watermark moves with the records, never with the wall clock, so a replay
// gives the same decisions about what is late. It says: no event earlier than this will be accepted.
//
//     partition 0: max seen 10:07 ┐
//     partition 1: max seen 10:04 ┴─ minimum 10:04 − lateness 5m ─▶ 9:59, and it never goes back

public import Core

public struct Watermark: Sendable {
  private let lateness: TimeSpan
  /// The latest event time seen in each partition; nil once the partition has ended.
  private var latest: [Timestamp?]
  public private(set) var current = Timestamp.distantPast

  /// - Parameter partitions: how many inputs there are; each holds the watermark back until it has spoken.
  public init(partitions: Int, lateness: TimeSpan) {
    self.lateness = lateness
    self.latest = Array(repeating: .distantPast, count: partitions)
  }

  /// An event of this time was read from the partition.
  public mutating func observe(_ time: Timestamp, partition: Int) {
    guard let known = latest[partition], time > known else { return }
    latest[partition] = time
    advance()
  }

  /// The partition has no more events; it no longer holds the others back. The last one to end leaves the
  /// watermark where it is: more may come another day.
  public mutating func end(partition: Int) {
    latest[partition] = nil
    advance()
  }

  /// An earlier run had come so far.
  mutating func raise(to time: Timestamp) { current = max(current, time) }

  private mutating func advance() {
    guard let minimum = latest.compactMap({ $0 }).min() else { return }
    current = max(current, minimum - lateness)
  }
}
