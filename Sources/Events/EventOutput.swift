// Where accepted events go: straight on, or into the durable log first (`Log/LoggedOutput.swift`).

public import Core

/// Takes accepted events.
public protocol EventOutput: AnyObject {
  /// Where the next event's line is appended.
  var lines: OutputBuffer { get }
  /// Ends the line.
  func endEvent(time: Timestamp, ingested: Timestamp) throws(Failure)
  /// Hands on all events so far.
  func passOn() throws(Failure)
  /// Hands on all events and ends in order; also after a failure, to keep what can be kept.
  func finish() throws(Failure)
}

/// Straight on, with no log.
public final class PlainOutput: EventOutput {
  public let lines: OutputBuffer

  public init(_ output: OutputBuffer) { lines = output }

  public func endEvent(time: Timestamp, ingested: Timestamp) throws(Failure) {
    try lines.endRecord()
  }

  public func passOn() throws(Failure) { try lines.flush() }
  public func finish() throws(Failure) { try lines.flush() }
}
