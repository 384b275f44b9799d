// The statuses that are answered, with their reason phrases as RFC 9110 has them.

public enum Status: Int, Sendable, CaseIterable {
  case ok = 200
  case badRequest = 400
  case unauthorized = 401
  case notFound = 404
  case methodNotAllowed = 405
  case requestTimeout = 408
  case conflict = 409
  case contentTooLarge = 413
  case targetTooLong = 414
  case unsupportedMediaType = 415
  case expectationFailed = 417
  case tooManyRequests = 429
  case fieldsTooLarge = 431
  case internalError = 500
  case notImplemented = 501
  case unavailable = 503
  case deadlinePassed = 504
  case versionNotSupported = 505

  /// "200 OK", as it stands in the status line.
  var line: StaticString {
    switch self {
    case .ok: "200 OK"
    case .badRequest: "400 Bad Request"
    case .unauthorized: "401 Unauthorized"
    case .notFound: "404 Not Found"
    case .methodNotAllowed: "405 Method Not Allowed"
    case .requestTimeout: "408 Request Timeout"
    case .conflict: "409 Conflict"
    case .contentTooLarge: "413 Content Too Large"
    case .targetTooLong: "414 URI Too Long"
    case .unsupportedMediaType: "415 Unsupported Media Type"
    case .expectationFailed: "417 Expectation Failed"
    case .tooManyRequests: "429 Too Many Requests"
    case .fieldsTooLarge: "431 Request Header Fields Too Large"
    case .internalError: "500 Internal Server Error"
    case .notImplemented: "501 Not Implemented"
    case .unavailable: "503 Service Unavailable"
    case .deadlinePassed: "504 Gateway Timeout"
    case .versionNotSupported: "505 HTTP Version Not Supported"
    }
  }
}

/// Why a request is not answered as asked.
public struct Refusal: Error, Sendable, Equatable {
  public let status: Status
  /// In the client's words: what, and where it helps the bound.
  public let reason: String

  public init(_ status: Status, _ reason: String) {
    self.status = status
    self.reason = reason
  }
}
