// Requests from text, arriving in pieces of a test's choosing.

import Core
import TestSupport

@testable import HTTP

/// Everything that a stream of bytes is read as, one line for each request.
///
/// - Parameter cuts: where one piece ends and the next begins, ascending.
func parsed(_ bytes: [UInt8], cuts: [Int] = [], bodyBytesMax: Int = 1_000) -> [String] {
  let outbox = Outbox()
  let connection = Connection(
    slot: 0, outbox: outbox, dateLine: DateLine(), bodyBytesMax: bodyBytesMax, now: 0)
  var lines: [String] = []
  var begin = 0
  for end in cuts + [bytes.count] {
    var piece = bytes[begin..<end]
    begin = end
    while !piece.isEmpty, connection.phase == .reading {
      let room = connection.room()
      let count = min(room.count, piece.count)
      room.copyBytes(from: piece.prefix(count))
      piece = piece.dropFirst(count)
      connection.received(count, now: 0)
      while let request = connection.nextRequest() {
        lines.append(request.summary)
        connection.respond(.ok, .json, body: .empty)
      }
    }
  }
  if connection.phase == .leaving, connection.pendingOutput.string.contains("error") {
    let output = connection.pendingOutput.string
    let status = output.split(separator: "HTTP/1.1 ").last!.prefix(3)
    lines.append("\(status) \(output.split(separator: "\"").last { $0.count > 3 }!)")
  } else if connection.phase == .leaving {
    lines.append("close")
  } else if !connection.isBetweenRequests {
    lines.append("more")
  }
  return lines
}

func parsed(_ text: String, bodyBytesMax: Int = 1_000) -> [String] {
  parsed(Array(text.utf8), bodyBytesMax: bodyBytesMax)
}

extension Request {
  /// On one line: what was asked, with which fields and body.
  var summary: String {
    var text = "\(method) \(path.string)"
    if !query.isEmpty { text += "?\(query.string)" }
    for known in KnownField.allCases {
      if let value = field(known) { text += " \(known)=\(value.string)" }
    }
    return body.isEmpty ? text : "\(text) [\(body.string)]"
  }
}
