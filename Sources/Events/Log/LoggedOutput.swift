// Accepted events on their way through the log.
//
//     event ─▶ batch ─▶ append ─▶ commit (as durable as --fsync says) ─▶ output
//
// Nothing reaches the output that is not in the log. Under `--fsync always` many batches share one sync while
// the input keeps coming, and one event is synced at once when it does not.

public import Core

public final class LoggedOutput: EventOutput {
  public let lines: OutputBuffer
  private let batch = LogBatch()
  private let writer: LogWriter
  private let output: OutputBuffer
  /// Bytes that may wait for a sync that they share.
  private let heldBytesMax: Int
  public private(set) var isBroken = false

  public init(_ writer: LogWriter, _ output: OutputBuffer) {
    self.writer = writer
    self.output = output
    lines = batch.lines
    heldBytesMax = writer.settings.fsync == .always ? Limits.logCommitBytes : 0
  }

  public func endEvent(time: Timestamp, ingested: Timestamp) throws(Failure) {
    batch.endEvent(time: time, ingested: ingested)
    guard batch.isFull else { return }
    if heldBytesMax == 0 { return try passStraightOn() }
    try store()
    if output.count >= heldBytesMax { try commit() }
  }

  /// A batch that waits for no other goes on from where it lies.
  private func passStraightOn() throws(Failure) {
    try append()
    defer { batch.removeAll() }
    do throws(Failure) {
      try writer.commit()
    } catch {
      output.rewind(to: 0)
      throw error
    }
    try pass(batch.text)
  }

  private func pass(_ bytes: Bytes = .empty) throws(Failure) {
    isBroken = true
    try output.flush(andPass: bytes)
    isBroken = false
  }

  private func store() throws(Failure) {
    try append()
    output.append(batch.text)
    batch.removeAll()
  }

  private func append() throws(Failure) {
    do throws(Failure) {
      try writer.append(batch)
    } catch {
      // Batches before this one may still be brought to the disk; what cannot be must not go on.
      try? commit()
      throw error
    }
  }

  private func commit() throws(Failure) {
    do throws(Failure) {
      try writer.commit()
    } catch {
      output.rewind(to: 0)
      throw error
    }
    try pass()
  }

  public func passOn() throws(Failure) {
    try store()
    try commit()
  }

  public func finish() throws(Failure) {
    do throws(Failure) {
      try passOn()
    } catch {
      // Whoever reads the output may be gone; the log is left in order all the same.
      try? writer.close()
      throw error
    }
    try writer.close()
  }
}

/// An input that does not let a sync wait longer than the policy says while nothing comes.
public final class SyncingSource: ByteSource {
  private let source: any ByteSource
  private let writer: LogWriter

  public init(_ source: any ByteSource, _ writer: LogWriter) {
    self.source = source
    self.writer = writer
  }

  public var name: String { source.name }
  public func mustWait() throws(Failure) -> Bool { try source.mustWait() }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    if let nanoseconds = writer.nanosecondsUntilSync {
      let milliseconds = Int((nanoseconds + 999_999) / 1_000_000)
      if try source.mustWait(milliseconds: milliseconds) { try writer.sync() }
    }
    return try source.read(into: buffer)
  }
}
