// What replies are made of. Each is sent as a whole line; clients exist that compare it byte by byte (KServe's
// reads an error's text only where it is `application/json` and nothing more).

public enum ContentType: Sendable {
  case json, ndjson, octets, text, html, prometheus

  var line: StaticString {
    switch self {
    case .json: "Content-Type: application/json\r\n"
    case .ndjson: "Content-Type: application/x-ndjson\r\n"
    case .octets: "Content-Type: application/octet-stream\r\n"
    case .text: "Content-Type: text/plain; charset=utf-8\r\n"
    case .html: "Content-Type: text/html; charset=utf-8\r\n"
    case .prometheus: "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
    }
  }
}
