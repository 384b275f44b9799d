// What came of one request.

public import Core

public enum ExchangeFault: String, Sendable, CaseIterable {
  /// Nobody listens there, or not any more.
  case refused
  /// The server closed or reset the connection before its reply was whole.
  case closed
  /// No whole reply came in time.
  case timeout
  /// What came is no HTTP reply.
  case malformed
}

public struct Exchange: Sendable {
  /// As given when it was sent.
  public let token: UInt64
  /// Which of the requests.
  public let request: Int
  /// Monotonic nanoseconds: the request's first byte was handed to the system, or a connection begun for it.
  public let sent: UInt64
  /// Monotonic nanoseconds: the reply's last byte was read, or the request was given up.
  public let ended: UInt64
  /// Of the reply; 0 without one.
  public let status: Int
  public let fault: ExchangeFault?
  public let bodyBytes: Int
}

/// Is told of each request's end.
public protocol ExchangeObserver: AnyObject {
  /// - Parameter serverTiming: the reply's field; empty where there is none, valid during the call.
  func ended(_ exchange: Exchange, serverTiming: Bytes)
}
