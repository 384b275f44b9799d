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
  /// Whether what is passed on may have been cut off in the middle, so that nothing more can follow.
  var isBroken: Bool { get }
  /// Hands on all events and ends in order; also after a failure, to keep what can be kept.
  func finish() throws(Failure)
}

/// Straight on, with no log.
public final class PlainOutput: EventOutput {
  public let lines: OutputBuffer
  public private(set) var isBroken = false

  public init(_ output: OutputBuffer) { lines = output }

  public func endEvent(time: Timestamp, ingested: Timestamp) throws(Failure) {
    isBroken = true
    try lines.endRecord()
    isBroken = false
  }

  public func passOn() throws(Failure) {
    isBroken = true
    try lines.flush()
    isBroken = false
  }

  public func finish() throws(Failure) { try passOn() }
}
