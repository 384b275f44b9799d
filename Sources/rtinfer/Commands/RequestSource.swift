// The requests of a run: one for each line of a file, sent again from the first when the last was sent.

import Core
import HTTP

struct RequestSource {
  let endpoint: Endpoint
  let requests: [OutgoingRequest]

  /// Each request's path, where they differ.
  var paths: [String] { requests.map(\.path) }
  var hasSeveralPaths: Bool { requests.contains { $0.path != requests[0].path } }

  init(_ endpoint: Endpoint, _ requests: [OutgoingRequest]) {
    self.endpoint = endpoint
    self.requests = requests
  }

  /// - Parameter file: of bodies, or of requests; nil for requests without a body.
  init(_ endpoint: Endpoint, file: String?, _ invocation: Invocation) throws(Failure) {
    self.endpoint = endpoint
    let options = invocation.options
    let fields = try RequestSource.fields(options)
    let builder = Builder(
      endpoint: endpoint, method: try options.value(LoadFlags.method), fields: fields,
      keepsAlive: !options.isOn(LoadFlags.noKeepAlive))
    if let body = try options.value(LoadFlags.body) {
      guard file == nil else { throw .usage("--body and a file of bodies: one of them") }
      requests = [builder.request(body: Array(body.utf8))]
      return
    }
    guard let file else {
      guard !options.isOn(LoadFlags.requestLines) else {
        throw .usage("--request-lines: no file of requests is named")
      }
      requests = [builder.request(body: [])]
      return
    }
    let source = try invocation.inputs([file])[0]
    let reader = LineReader(source)
    var made: [OutgoingRequest] = []
    while let line = try reader.next() {
      guard line.fault != .tooLong else {
        throw .badData(
          "\(source.name):\(line.number): a line of more than \(Limits.lineBytesMax) bytes")
      }
      guard made.count < RequestSource.requestsMax else {
        throw .badData("\(source.name): more than \(RequestSource.requestsMax.grouped) requests")
      }
      if options.isOn(LoadFlags.requestLines) {
        do throws(JSONError) {
          made.append(try builder.request(line: line.bytes))
        } catch {
          throw .badData("\(source.name):\(line.number): \(error.description)")
        }
      } else {
        made.append(builder.request(body: line.bytes.trimmed.copy()))
      }
    }
    guard !made.isEmpty else { throw .badData("\(source.name): there is no request") }
    requests = made
  }

  /// They are held in memory.
  static let requestsMax = 1_000_000

  private static func fields(_ options: Options) throws(Failure) -> [(name: String, value: String)]
  {
    var fields: [(name: String, value: String)] = []
    for part in try (options.value(LoadFlags.header) ?? "").split(separator: "|") {
      guard let field = OutgoingRequest.field(part) else {
        throw .usage(
          "\(options.origin(LoadFlags.header)): '\(part)' is not 'NAME: VALUE'",
          hint: "--header 'Authorization: Bearer abc|Accept: */*'")
      }
      fields.append(field)
    }
    return fields
  }
}

private struct Builder {
  let endpoint: Endpoint
  let method: String?
  let fields: [(name: String, value: String)]
  let keepsAlive: Bool

  func request(body: [UInt8]) -> OutgoingRequest {
    request(method, endpoint.path, fields, body)
  }

  private func request(
    _ method: String?, _ path: String, _ fields: [(name: String, value: String)], _ body: [UInt8]
  ) -> OutgoingRequest {
    var fields = fields
    if !body.isEmpty, !fields.contains(where: { $0.name.lowercased() == "content-type" }) {
      fields.append(("Content-Type", "application/json"))
    }
    return OutgoingRequest(
      method: method ?? (body.isEmpty ? "GET" : "POST"), path: path, host: endpoint.host,
      fields: fields, body: body, keepsAlive: keepsAlive)
  }

  /// A whole request as JSON: a body that is no string is sent as it stands.
  func request(line: Bytes) throws(JSONError) -> OutgoingRequest {
    var (method, path, own, body) = (self.method, endpoint.path, fields, [UInt8]())
    var cursor = JSONCursor(line)
    try cursor.beginObject()
    var isFirst = true
    while let key = try cursor.nextKey(first: &isFirst) {
      switch key.bytes.string {
      case "method": method = try cursor.readString()
      case "path": path = try cursor.readString()
      case "body": body = try readBody(&cursor)
      case "headers": own += try readFields(&cursor)
      case let name:
        throw JSONError(
          "'\(name)' is none of method, path, headers, body", at: cursor.position)
      }
    }
    try cursor.finish()
    guard path.hasPrefix("/"), !path.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F }) else {
      throw JSONError("'\(path)' is not a path", at: 0)
    }
    return request(method, path, own, body)
  }

  private func readBody(_ cursor: inout JSONCursor) throws(JSONError) -> [UInt8] {
    if try cursor.peek() == .string { return Array(try cursor.readString().utf8) }
    return try cursor.rawValue().literal.copy()
  }

  private func readFields(
    _ cursor: inout JSONCursor
  ) throws(JSONError) -> [(name: String, value: String)] {
    var fields: [(name: String, value: String)] = []
    try cursor.beginObject()
    var isFirst = true
    while let key = try cursor.nextKey(first: &isFirst) {
      let text = "\(key.bytes.string): \(try cursor.readString())"
      guard let field = OutgoingRequest.field(Substring(text)) else {
        throw JSONError("'\(text)' is no header field", at: cursor.position)
      }
      fields.append(field)
    }
    return fields
  }
}
