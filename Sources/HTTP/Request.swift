// A request as it lies in its connection's buffer: nothing is copied. It is valid until it is answered.
//
//     POST /decide/fraud?detail HTTP/1.1   method, path and query
//     Content-Type: application/json       the fields that anyone asks for, found while parsing
//
//     {"amount":12.5}                      the body, its chunks joined

public import Core

/// A part of a request, counted in bytes from the request's first.
struct Stretch {
  var start: Int32 = 0
  /// -1: there is none.
  var count: Int32 = -1

  init() {}

  init(from start: Int, to end: Int) {
    self.start = Int32(truncatingIfNeeded: start)
    self.count = Int32(truncatingIfNeeded: end - start)
  }

  var isAbsent: Bool { count < 0 }

  func bytes(_ base: UnsafePointer<UInt8>) -> Bytes {
    Bytes(base: base + Int(start), count: Int(max(0, count)))
  }
}

public enum Method: Sendable, Equatable {
  case get, head, post
  case other
}

/// The fields that somebody reads, beside those that say where a request ends.
public enum KnownField: Int, Sendable, CaseIterable {
  case authorization
  case contentType
  case contentEncoding
  case acceptEncoding
  case inferenceHeaderLength
  case requestTimeout
  case traceparent
  case cloudEventVersion
  case cloudEventID
  case cloudEventSource
  case cloudEventType
  case cloudEventTime

  static let count = allCases.count

  var name: StaticString {
    switch self {
    case .authorization: "authorization"
    case .contentType: "content-type"
    case .contentEncoding: "content-encoding"
    case .acceptEncoding: "accept-encoding"
    case .inferenceHeaderLength: "inference-header-content-length"
    case .requestTimeout: "x-request-timeout-ms"
    case .traceparent: "traceparent"
    case .cloudEventVersion: "ce-specversion"
    case .cloudEventID: "ce-id"
    case .cloudEventSource: "ce-source"
    case .cloudEventType: "ce-type"
    case .cloudEventTime: "ce-time"
    }
  }

  /// Whether a second field of the name makes a request ambiguous; of others the first counts.
  var isSingle: Bool { self != .acceptEncoding && self != .traceparent }
}

/// One for each known field.
typealias FieldStretches = InlineArray<12, Stretch>

public struct Request {
  public let method: Method
  /// As sent, percent signs and all.
  public let path: Bytes
  /// What follows the question mark; empty where there is none.
  public let query: Bytes
  /// Decoded from its chunks. `Request.padding` bytes behind it may be loaded.
  public let body: Bytes
  /// Monotonic nanoseconds when its last bytes were read.
  public let arrived: UInt64
  private let base: UnsafePointer<UInt8>
  private let fields: FieldStretches
  /// Keeps a body that lies elsewhere.
  private let owner: OwnedBody?

  public static let padding = 32

  init(
    method: Method, target: Bytes, body: Bytes, arrived: UInt64, base: UnsafePointer<UInt8>,
    fields: FieldStretches
  ) {
    let (path, query) = Request.split(target)
    self.method = method
    self.path = path
    self.query = query
    self.body = body
    self.arrived = arrived
    self.base = base
    self.fields = fields
    self.owner = nil
  }

  private init(_ request: Request, body: OwnedBody) {
    method = request.method
    path = request.path
    query = request.query
    self.body = body.bytes
    arrived = request.arrived
    base = request.base
    fields = request.fields
    owner = body
  }

  /// The same request with its body decoded.
  public func with(body: [UInt8]) -> Request { Request(self, body: OwnedBody(body)) }

  /// The field's value without blanks around it; nil where there is none.
  public func field(_ field: KnownField) -> Bytes? {
    let stretch = fields[field.rawValue]
    return stretch.isAbsent ? nil : stretch.bytes(base)
  }

  /// Whether the query has the member, alone or with a value other than 0 and false.
  public func asks(_ name: StaticString) -> Bool {
    var rest = query
    while !rest.isEmpty {
      let end = rest.firstIndex(of: UInt8(ascii: "&")) ?? rest.count
      let member = rest[0..<end]
      rest = rest[min(end + 1, rest.count)..<rest.count]
      let equals = member.firstIndex(of: UInt8(ascii: "=")) ?? member.count
      guard member[0..<equals] == name else { continue }
      let value = member[min(equals + 1, member.count)..<member.count]
      return !(value == "0" || value == "false")
    }
    return false
  }

  private static func split(_ target: Bytes) -> (path: Bytes, query: Bytes) {
    var target = target
    if target.first != UInt8(ascii: "/"), target.first != UInt8(ascii: "*") {
      // The absolute form, which every server must take: http://host/path.
      let host = (target.firstIndex(of: UInt8(ascii: ":")) ?? 0) + 3
      let rest = target[min(host, target.count)..<target.count]
      guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else { return (Bytes("/"), .empty) }
      target = rest[slash..<rest.count]
    }
    guard let mark = target.firstIndex(of: UInt8(ascii: "?")) else { return (target, .empty) }
    return (target[0..<mark], target[mark + 1..<target.count])
  }
}

/// A body that does not lie in its connection's buffer.
private final class OwnedBody {
  let bytes: Bytes
  private let memory: UnsafeMutablePointer<UInt8>

  init(_ body: [UInt8]) {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: body.count + Request.padding)
    memory.initialize(repeating: 0, count: body.count + Request.padding)
    body.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { memory.update(from: start, count: body.count) }
    }
    bytes = Bytes(base: UnsafePointer(memory), count: body.count)
    self.memory = memory
  }

  deinit { memory.deallocate() }
}

extension Bytes {
  /// - Complexity: O(count).
  func firstIndex(of byte: UInt8) -> Int? {
    var index = 0
    while index < count {
      if base[index] == byte { return index }
      index += 1
    }
    return nil
  }

  /// Whether it is this name in any case.
  ///
  /// - Parameter name: in lower case.
  public func equalsIgnoringCase(_ name: StaticString) -> Bool {
    guard count == name.utf8CodeUnitCount else { return false }
    for index in 0..<count {
      var byte = base[index]
      if byte &- UInt8(ascii: "A") < 26 { byte |= 0x20 }
      if byte != name.utf8Start[index] { return false }
    }
    return true
  }
}
