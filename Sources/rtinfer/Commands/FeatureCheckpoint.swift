// What a stream of features leaves behind, and in which order that becomes true.
//
//     a stream          store ─▶ rows                   a row that is passed on may be asked about at once
//     with --out        rows ─▶ store ─▶ consumer       an event that the store holds is not answered again, so its row
//                                                       is there before; what the log may forget is durable before
//
// Stopped between any two of these, the next run reads the events behind the store's offset again: rows that are in the file
// are left out, and an entity's state leaves out what it has seen.

import Core
import Features

final class FeatureCheckpoint {
  /// Nil where no online store is written.
  let online: OnlineWriter?
  private let output: OutputBuffer
  /// What the output goes to, where that is gone on with.
  private let file: ResumableFile?
  private let consumption: LogConsumption?
  private let rejects: Rejects

  init(
    _ output: OutputBuffer, _ file: ResumableFile?, _ online: OnlineWriter?,
    _ consumption: LogConsumption?, _ rejects: Rejects
  ) {
    self.output = output
    self.file = file
    self.online = online
    self.consumption = consumption
    self.rejects = rejects
  }

  /// Whether the row that answers the event of this offset was written by an earlier run.
  func holdsRow(_ offset: Int64) -> Bool { file?.holds(offset) ?? false }

  /// Hands on what is ready.
  func passOn() throws(Failure) {
    if file == nil { try online?.flush() }
    try output.flush()
    try rejects.flush()
    if file != nil { try online?.flush() }
    if let consumption, consumption.isDue { try commit(consumption) }
  }

  /// An event has been answered and applied.
  func noteEvent(offset: Int64, watermark: Timestamp) throws(Failure) {
    guard let online else { return }
    online.noteEvent(offset: offset, watermark: watermark)
    guard online.isDue else { return }
    if file == nil { try online.flush() } else { try passOn() }
    if let consumption, consumption.isDue { try commit(consumption) }
  }

  private func commit(_ consumption: LogConsumption) throws(Failure) {
    guard let online, online.offset >= 0 else { return }
    try file?.sync()
    try consumption.commit(upTo: online.offset)
  }

  /// The end of the input: all of it is in the store.
  func finish() throws(Failure) {
    try output.flush()
    try online?.finish()
    if let consumption { try commit(consumption) } else { try file?.sync() }
  }
}
