// Accepted events on their way into the live state: kept until they are in the log, then told. What a log holds already is
// told the same way when a server starts.

public import Core
public import Events
public import Features

public final class EventApplier {
  private struct Kept {
    let start: Int
    let count: Int
    let type: Int
    let offset: Int64
    let watermark: Timestamp
  }

  private let state: LiveState
  private let schema: EventSchema
  private let decoder: EventDecoder
  private let lines = OutputBuffer(MemorySink(), capacity: 64 << 10)
  private var kept: [Kept] = []

  public init(_ state: LiveState, schema: EventSchema) {
    self.state = state
    self.schema = schema
    decoder = EventDecoder(schema, trustsMarks: false)
  }

  func keep(_ arrival: Arrival) {
    let line = arrival.decoder.scanner.line
    kept.append(
      Kept(
        start: lines.count, count: line.count, type: arrival.event.type, offset: arrival.offset,
        watermark: arrival.watermark))
    lines.append(line)
  }

  /// Tells the state all that is kept.
  func apply() {
    let text = lines.pending
    for event in kept {
      let line = text[event.start..<event.start + event.count]
      let decoded = decoder.decodeAccepted(line, as: event.type)
      state.apply(
        type: event.type, decoder.scalars, at: decoded.time, offset: event.offset,
        watermark: event.watermark)
    }
    forget()
  }

  /// Drops what is kept: it is not in the log.
  func forget() {
    kept.removeAll(keepingCapacity: true)
    lines.rewind(to: 0)
  }

  /// Tells the state what the log holds behind all that it knows.
  ///
  /// - Returns: how many events that were.
  /// - Complexity: O(events of the log that it does not know).
  public func catchUp(_ path: String, files: any FileSystem) throws(Failure) -> Int {
    let marked = EventDecoder(schema, trustsMarks: true)
    var range = LogRange()
    range.offsets = state.extent.offset + 1..<Int64.max
    let reader = try LogReader(path, range: range, files: files)
    var count = 0
    while let events = try reader.next() {
      events.visit { logged in
        // What the project file does not know any more tells nobody anything.
        guard let event = try? marked.decode(logged.line[0..<logged.line.count - 1]),
          let mark = event.mark
        else { return }
        state.apply(
          type: event.type, marked.scalars, at: event.time, offset: mark.offset,
          watermark: mark.watermark)
        count += 1
      }
    }
    return count
  }
}
