// What a stream of features leaves behind, and in which order that becomes true.
//
//     from a pipe       store ─▶ rows                   a row that is passed on may be asked about at once; the source is
//                                                       read again after a crash, and its rows are written again
//     from the log      rows ─▶ store ─▶ consumer       an event that the store holds is not read again, so its row
//                                                       is there before; what the log may forget is durable before
//
// Stopped between any two of these, the next run reads the events behind the store's offset again: rows that a file of --out
// holds are left out (stdout may get them twice), and an entity's state leaves out what it has seen.

import Core
import Events
import Features

final class FeatureCheckpoint {
  /// Nil where no online store is written.
  let online: OnlineWriter?
  private let output: OutputBuffer
  /// What the output goes to, where that is gone on with.
  private let file: ResumableFile?
  private let readsLog: Bool
  private let consumption: LogConsumption?
  private let rejects: Rejects

  /// - Parameter feed: the log that the events come from, if they do.
  init(
    _ output: OutputBuffer, _ file: ResumableFile?, _ online: OnlineWriter?, _ feed: LogFeed?,
    _ rejects: Rejects
  ) {
    self.output = output
    self.file = file
    self.online = online
    self.readsLog = feed != nil
    self.consumption = feed?.consumption
    self.rejects = rejects
  }

  /// Whether the row that answers the event of this offset was written by an earlier run.
  func holdsRow(_ event: Event, _ offset: Int64) throws(Failure) -> Bool {
    guard let file else { return false }
    return try file.holds(offset) { event.id.literal.copy() }
  }

  /// Hands on what is ready.
  func passOn() throws(Failure) {
    if !readsLog { try online?.flush() }
    try output.flush()
    try rejects.flush()
    if readsLog { try online?.flush() }
    if let consumption, consumption.isDue { try commit(consumption) }
  }

  /// An event has been answered and applied.
  func noteEvent(offset: Int64, watermark: Timestamp) throws(Failure) {
    guard let online else { return }
    online.noteEvent(offset: offset, watermark: watermark)
    if online.isDue { try passOn() }
  }

  private func commit(_ consumption: LogConsumption) throws(Failure) {
    guard let online, online.offset >= 0 else { return }
    try file?.sync()
    try consumption.commit(upTo: online.offset)
  }

  /// The end of the input: all of it is in the store. A store that was made anew is in its place before the file is cut back to
  /// it: stopped between the two, the records behind it are still held; the other way round they would be missed by the old one.
  func finish() throws(Failure) {
    try output.flush()
    try rejects.flush()
    try online?.finish()
    try file?.cutBack()
    if let consumption { try commit(consumption) } else { try file?.sync() }
  }
}
