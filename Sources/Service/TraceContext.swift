// W3C trace context: a caller that follows a request through several services sends `traceparent`; we are one span of its
// trace, name it in the reply, and write trace and span beside what is logged.
//
//     00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//     version, trace (32 lower-case digits), the caller's span (16), flags: bit 0 is "sampled"
//
// A field that is not to the letter is ignored, as the recommendation says; a later version is read as far as it is
// known. Who sends none is sent none.

import Core
import HTTP

struct TraceContext {
  /// 32 digits; borrowed from the request.
  let trace: Bytes
  /// The span that is this request.
  let span: UInt64
  let isSampled: Bool

  /// - Parameter random: gives the span.
  init?(_ field: Bytes, _ random: inout some RandomNumberGenerator) {
    // 2 + 1 + 32 + 1 + 16 + 1 + 2
    guard field.count >= 55, field[2] == TraceContext.dash, field[35] == TraceContext.dash,
      field[52] == TraceContext.dash
    else { return nil }
    let version = field[0..<2]
    let isWhole = field.count == 55
    guard version.isLowerHex, !(version == "ff"), isWhole || !(version == "00"),
      isWhole || field[55] == TraceContext.dash
    else { return nil }
    let (trace, caller, flags) = (field[3..<35], field[36..<52], field[53..<55])
    guard trace.isLowerHex, caller.isLowerHex, flags.isLowerHex, !trace.isAllZeros,
      !caller.isAllZeros
    else { return nil }
    self.trace = trace
    isSampled = (UInt8(flags.string, radix: 16) ?? 0) & 1 == 1
    var span: UInt64 = 0
    while span == 0 { span = random.next() }
    self.span = span
  }

  private static let dash = UInt8(ascii: "-")

  /// `traceparent: …⏎`: the caller's trace, with our span in the place of its own.
  func appendField(to output: OutputBuffer) {
    output.append("traceparent: 00-")
    output.append(trace)
    output.append("-")
    output.appendHex(span)
    output.append(isSampled ? "-01\r\n" : "-00\r\n")
  }

  /// `,"trace":"…","span":"…"`.
  func appendMembers(to output: OutputBuffer) {
    output.append(",\"trace\":\"")
    output.append(trace)
    output.append("\",\"span\":\"")
    output.appendHex(span)
    output.append("\"")
  }
}

extension Service {
  /// The trace that the request belongs to, with a span for it; nil where its caller names none.
  func trace(_ request: Request) -> TraceContext? {
    guard let field = request.field(.traceparent) else { return nil }
    return TraceContext(field, &random)
  }

  /// Sends a reply, which names the trace if there is one.
  func send(
    _ connection: Connection, _ status: Status, _ type: ContentType, fields: Bytes, body: Bytes,
    _ trace: TraceContext?
  ) {
    guard let trace else {
      return connection.respond(status, type, fields: fields, body: body)
    }
    tracedFields.rewind(to: 0)
    tracedFields.append(fields)
    trace.appendField(to: tracedFields)
    connection.respond(status, type, fields: tracedFields.pending, body: body)
  }
}

extension Bytes {
  fileprivate var isLowerHex: Bool {
    buffer.allSatisfy {
      ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
        || ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "f"))
    }
  }

  fileprivate var isAllZeros: Bool { buffer.allSatisfy { $0 == UInt8(ascii: "0") } }
}

extension OutputBuffer {
  /// 16 lower-case digits.
  fileprivate func appendHex(_ value: UInt64) {
    var shift = 60
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
      append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      shift -= 4
    }
  }
}
