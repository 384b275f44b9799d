// Takes events out of what other systems wrap them in. A line may hold many; each becomes a line of its own in
// one reused buffer: the event's own members, and those of its id, time and type that only the wrapping has.
//
//     line ─▶ layer ─▶ layer ─▶ {"gate":7,"time":"…"} ─▶ buffer ─▶ decoder
//              └─ origin: source, partition, offset ─────────────▶ _rt

import Core

/// What the layers around an event say of it; gathered from the outside in. Borrowed from the line.
struct Wrapping {
  var origin = EventOrigin()
  var time: Timestamp?
  /// What the event is, by the wrapping's own word.
  var type = Bytes.empty
  /// What it may be if it does not say so itself: a topic's name often is its events' type.
  var typeHint = Bytes.empty
  /// The event's id, for events that have none of their own.
  var id = Bytes.empty
  /// The text that goes to the rejects if there is something wrong inside.
  var raw: Bytes
}

final class Unwrapper {
  /// An event of the line at hand, or what is wrong in its place.
  private struct Item {
    var content: Range<Int>
    var raw: Bytes
    var problem: String?
    /// The type that the wrapping names; nil: the event says it.
    var type: Int?
    var origin = EventOrigin()
    var source = 0..<0
    var id = 0..<0
  }

  private let schema: EventSchema
  private let layers: EnvelopeLayers
  private let envelopes: [any Envelope]
  /// One for each depth: what an outer layer lends stays valid while the inner ones are read.
  private let scanners: [RecordScanner]
  private let content: EventMembers
  private let buffer = OutputBuffer(MemorySink(), capacity: 4_096)
  private var items: [Item] = []
  private var nextItem = 0
  private var current = 0
  /// Records of the line that say only that a key is gone, as Kafka's compacted topics have them.
  private(set) var tombstones = 0

  init(_ layers: EnvelopeLayers, _ schema: EventSchema) {
    self.layers = layers
    self.schema = schema
    var plan = FieldPlan()
    envelopes = EnvelopeFormat.allCases.map { $0.envelope(&plan) }
    scanners = (0...Limits.envelopeDepthMax).map { [plan] _ in RecordScanner(plan) }
    content = EventMembers(schema)
  }

  // MARK: Items

  /// Takes a line apart; what is in it is then asked for one by one.
  func take(_ line: Bytes, padding: Int) {
    clear()
    attempt(line, padding: padding, depth: 0, Wrapping(raw: line))
    // What stands behind a line may be loaded by whoever reads it.
    for _ in 0..<LineReader.padding { buffer.append(UInt8(0)) }
  }

  /// Forgets the line at hand.
  func clear() {
    buffer.rewind(to: 0)
    items.removeAll(keepingCapacity: true)
    nextItem = 0
    tombstones = 0
  }

  enum Next {
    case event(Bytes, type: Int?)
    case problem(String)
  }

  /// The next event of the line; nil when there are no more.
  func next() -> Next? {
    guard nextItem < items.count else { return nil }
    current = nextItem
    nextItem += 1
    if let problem = items[current].problem { return .problem(problem) }
    return .event(buffer.pending[items[current].content], type: items[current].type)
  }

  /// An item was handed out of the line at hand.
  var hasItem: Bool { nextItem > 0 }

  /// The text of the item that was handed out last, as it came in its batch.
  var raw: Bytes { items[current].raw }

  /// Where the event came from that was handed out last; borrowed until the next line is taken apart.
  var origin: EventOrigin {
    var origin = items[current].origin
    origin.source = buffer.pending[items[current].source]
    origin.id = buffer.pending[items[current].id]
    return origin
  }

  // MARK: Layers

  /// Takes layers off and adds what is inside, or what is wrong with it.
  func attempt(_ text: Bytes, padding: Int = 0, depth: Int, _ wrapping: Wrapping) {
    attempt(wrapping) { () throws(BadRecord) in
      if isAnyLayer(depth), text.trimmed.first == UInt8(ascii: "[") {
        return try takeElements(text, depth: depth, wrapping, of: nil)
      }
      try peel(text, padding: padding, depth: depth, wrapping, of: nil)
    }
  }

  private func attempt(_ wrapping: Wrapping, _ body: () throws(BadRecord) -> Void) {
    do throws(BadRecord) {
      try body()
    } catch {
      items.append(Item(content: 0..<0, raw: wrapping.raw, problem: error.reason))
    }
  }

  private func peel(
    _ text: Bytes, padding: Int, depth: Int, _ wrapping: Wrapping, of known: (any Envelope)?
  ) throws(BadRecord) {
    guard isAnyLayer(depth) else { return try add(text, padding: padding, wrapping) }
    let scanner = scanners[depth]
    do throws(JSONError) {
      try scanner.scan(text, padding: padding)
    } catch {
      if depth == 0 { throw BadRecord(error, text) }
      throw BadRecord("not JSON inside: \(error.description)")
    }
    guard let envelope = known ?? envelope(depth, scanner) else {
      return try add(text, padding: padding, wrapping)
    }
    try envelope.open(scanner, wrapping, depth: depth, into: self)
  }

  /// True if there may be a layer so far inside.
  private func isAnyLayer(_ depth: Int) -> Bool {
    switch layers {
    case .automatic: depth < Limits.envelopeDepthMax
    case .layers(let formats): depth < formats.count
    }
  }

  private func envelope(_ depth: Int, _ scanner: RecordScanner) -> (any Envelope)? {
    switch layers {
    case .automatic: envelopes.first { $0.matches(scanner) }
    case .layers(let formats): envelopes[EnvelopeFormat.allCases.firstIndex(of: formats[depth])!]
    }
  }

  /// Each element of an array as if it had come alone.
  ///
  /// - Parameter envelope: what the elements are; nil where each must be looked at.
  func takeElements(
    _ array: Bytes, depth: Int, _ wrapping: Wrapping, of envelope: (any Envelope)?
  ) throws(BadRecord) {
    var cursor = JSONCursor(array)
    var first = true
    do throws(JSONError) {
      try cursor.beginArray()
      while try cursor.nextElement(first: &first) {
        let element = try cursor.rawValue()
        var inner = wrapping
        // A part of what is wrapped itself cannot be told alone.
        if depth == 0 { inner.raw = element.literal }
        attempt(inner) { () throws(BadRecord) in
          try peel(element.literal, padding: 0, depth: depth, inner, of: envelope)
        }
      }
      try cursor.finish()
    } catch {
      throw BadRecord(error, array)
    }
  }

  func addTombstone() { tombstones += 1 }

  // MARK: Events

  /// Adds an event, with what it lacks and its wrapping knows.
  private func add(_ text: Bytes, padding: Int, _ wrapping: Wrapping) throws(BadRecord) {
    let start = buffer.count
    let type = try content.append(text, padding: padding, wrapping, to: buffer)
    var item = Item(
      content: start..<buffer.count, raw: wrapping.raw, type: type, origin: wrapping.origin)
    item.source = keep(wrapping.origin.source)
    item.id = keep(wrapping.origin.id)
    items.append(item)
  }

  private func keep(_ text: Bytes) -> Range<Int> {
    let start = buffer.count
    buffer.append(text)
    return start..<buffer.count
  }
}
