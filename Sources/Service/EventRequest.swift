// The body of POST /events, taken apart into the records that an intake takes. What may come:
//
//     application/x-ndjson                  many events, a line each
//     application/cloudevents+json          a CloudEvent that says all of itself (structured mode)
//     application/cloudevents-batch+json    an array of such
//     any, with the field ce-specversion    a CloudEvent whose attributes are fields (binary mode)
//     any other                             one event, or an array of events
//
// The bytes are copied out of the connection's buffer, since they are read on another thread, and so that a client
// that goes away takes nothing with it.

import Core
import HTTP

/// One request's events on their way to the intake and back. Unchanging once it is made.
final class EventRequest: @unchecked Sendable {
  // Sendable since its memory is written only by `init`.
  enum Form: Sendable { case lines, values }

  /// The loop's own number for it.
  let number: Int
  let replies: LateReplies
  /// Monotonic nanoseconds when its last byte had come.
  let arrived: UInt64
  let byteCount: Int
  /// They are CloudEvents.
  let areWrapped: Bool
  private let form: Form
  private let memory: UnsafeMutablePointer<UInt8>

  /// - Throws: where its fields do not make it a CloudEvent.
  init(_ request: Request, number: Int, replies: LateReplies) throws(Refusal) {
    self.number = number
    self.replies = replies
    arrived = request.arrived
    var body = request.body
    let attributes = OutputBuffer(MemorySink(), capacity: 1)
    if request.field(.cloudEventVersion) != nil {
      try EventRequest.appendCloudEvent(request, to: attributes)
      body = attributes.pending
      areWrapped = true
      form = .values
    } else {
      areWrapped = request.isCloudEvents
      form = request.isNDJSON ? .lines : .values
    }
    byteCount = body.count
    memory = .allocate(capacity: body.count + Request.padding)
    memory.initialize(repeating: 0, count: body.count + Request.padding)
    memory.update(from: body.base, count: body.count)
    if form == .values { EventRequest.joinLines(memory, byteCount) }
  }

  deinit { memory.deallocate() }

  /// An event becomes one line, wherever it comes from. A line end in JSON is a blank; those in strings, which may have
  /// none, stay, so that they are refused as in a file.
  private static func joinLines(_ memory: UnsafeMutablePointer<UInt8>, _ count: Int) {
    var isQuoted = false
    var index = 0
    while index < count {
      switch memory[index] {
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: "\\") where isQuoted: index += 1
      case 0x0A, 0x0D: if !isQuoted { memory[index] = UInt8(ascii: " ") }
      default: break
      }
      index += 1
    }
  }

  private var body: Bytes { Bytes(base: UnsafePointer(memory), count: byteCount) }

  /// Its records, valid as long as it is; of lines also the empty ones, which are none but count.
  func records() throws(Refusal) -> [Bytes] {
    switch form {
    case .lines: return try body.lines(keepsEmpty: true)
    case .values:
      let whole = body.trimmed
      guard whole.first == UInt8(ascii: "[") else { return whole.isEmpty ? [] : [whole] }
      return try elements(whole)
    }
  }

  /// Of an array, which is checked whole before anything of it is taken.
  private func elements(_ array: Bytes) throws(Refusal) -> [Bytes] {
    var cursor = JSONCursor(array)
    var elements: [Bytes] = []
    var first = true
    do throws(JSONError) {
      try cursor.beginArray()
      while try cursor.nextElement(first: &first) { elements.append(try cursor.rawValue().literal) }
      try cursor.finish()
    } catch {
      throw Refusal(.badRequest, "not JSON: \(error.description)")
    }
    guard elements.count <= Limits.requestRowsMax else {
      throw Refusal(
        .contentTooLarge, "more than \(Limits.requestRowsMax) events in one request")
    }
    return elements
  }

  // MARK: CloudEvents in binary mode

  private static let attributes: [(StaticString, KnownField)] = [
    ("specversion", .cloudEventVersion), ("id", .cloudEventID), ("source", .cloudEventSource),
    ("type", .cloudEventType), ("time", .cloudEventTime),
  ]

  /// Appends what the same event would be in structured mode.
  private static func appendCloudEvent(
    _ request: Request, to output: OutputBuffer
  ) throws(Refusal) {
    var separator = UInt8(ascii: "{")
    for (name, field) in attributes {
      guard let value = request.field(field) else { continue }
      guard let text = value.percentDecoded else {
        throw Refusal(.badRequest, "the field ce-\(name) is not percent-encoded UTF-8")
      }
      output.append(separator)
      output.appendQuoted("\(name)")
      output.append(":")
      output.appendQuoted(text)
      separator = UInt8(ascii: ",")
    }
    let data = request.body.trimmed
    if !data.isEmpty {
      // One value and no more: what is put into a text must not end it.
      var cursor = JSONCursor(data)
      do throws(JSONError) {
        try cursor.skipValue()
        try cursor.finish()
      } catch {
        throw Refusal(.badRequest, "the CloudEvent's data is not JSON: \(error.description)")
      }
      output.append(",\"data\":")
      output.append(data)
    }
    output.append("}")
  }
}

extension Request {
  /// CloudEvents in structured mode, one or a batch.
  fileprivate var isCloudEvents: Bool {
    guard let type = field(.contentType) else { return false }
    let name = type.split(at: UInt8(ascii: ";")).0.trimmed
    return name.equalsIgnoringCase("application/cloudevents+json")
      || name.equalsIgnoringCase("application/cloudevents-batch+json")
  }
}
