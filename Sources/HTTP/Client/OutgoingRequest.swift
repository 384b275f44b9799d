// A request as bytes, made once before the first is sent: a measuring client sends the same ones again and again.

import Core

public struct OutgoingRequest: Sendable {
  /// Head and body.
  public let bytes: [UInt8]
  public let path: String
  let isHead: Bool

  /// - Parameters:
  ///   - fields: names and values; `Host` and `Content-Length` are added where they are missing.
  ///   - keepsAlive: false asks the server to close after its reply.
  public init(
    method: String, path: String, host: String, fields: [(name: String, value: String)],
    body: [UInt8], keepsAlive: Bool
  ) {
    func has(_ name: String) -> Bool {
      fields.contains { $0.name.lowercased() == name }
    }
    var head = "\(method) \(path) HTTP/1.1\r\n"
    if !has("host") { head += "Host: \(host)\r\n" }
    for field in fields { head += "\(field.name): \(field.value)\r\n" }
    if !body.isEmpty || method == "POST" || method == "PUT", !has("content-length") {
      head += "Content-Length: \(body.count)\r\n"
    }
    if !keepsAlive { head += "Connection: close\r\n" }
    self.bytes = Array(head.utf8) + Array("\r\n".utf8) + body
    self.path = path
    self.isHead = method == "HEAD"
  }

  /// `Name: value`; nil for anything else, and where a line end would let one field become two.
  public static func field(_ text: Substring) -> (name: String, value: String)? {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    let name = text[..<colon].drop { $0 == " " }
    let value = text[text.index(after: colon)...].drop { $0 == " " }
    let isToken = Array(name.utf8).withBytes { FieldToken.isToken($0) }
    guard !name.isEmpty, isToken, !value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 }) else {
      return nil
    }
    return (String(name), String(value))
  }
}
