// How much one client may send (`--max-rate`). Each has a bucket of tokens that fills at the rate; a request takes one
// token, and where there is none it is answered 429 and told when there will be. A bucket is one number, the time at
// which it will be full (the generic cell rate algorithm), so nothing is ever filled:
//
//     missing tokens = (fullAt - now) / interval          a full bucket: fullAt <= now
//
// Buckets lie in a table of a fixed size, as lines in a processor's cache: a client's hash names eight places, its
// bucket lies in one of them. A new client takes the place whose bucket is, or will be, full first, as that has least to
// forget: whoever is forgotten has a full bucket when he comes again. All loops share the table, as a client may have
// connections to several.

public import Core
import HTTP
import Synchronization

/// What a client may send.
struct TokenRate: Sendable {
  /// Nanoseconds for one token.
  let interval: UInt64
  /// Nanoseconds from an empty bucket to a full one but for one token.
  let slack: UInt64

  /// - Parameter rate: tokens a second, above 0. A bucket holds those of one second, and one at least.
  init(_ rate: Double) {
    interval = UInt64((1e9 / rate).rounded(.up))
    slack = interval * UInt64(max(1, rate.rounded(.down)) - 1)
  }
}

/// One client's tokens.
struct TokenBucket: Sendable {
  /// Monotonic nanoseconds.
  private(set) var fullAt: UInt64 = 0

  /// Takes a token.
  ///
  /// - Returns: where there is none, in how many nanoseconds there will be; nothing is taken then.
  mutating func take(_ rate: TokenRate, now: UInt64) -> UInt64? {
    let fullAt = max(fullAt, now)
    let missing = fullAt - now
    guard missing <= rate.slack else { return missing - rate.slack }
    self.fullAt = fullAt + rate.interval
    return nil
  }
}

public final class ClientRates: Sendable {
  private struct Place: Sendable {
    var client = ClientAddress.local
    var bucket = TokenBucket()
  }

  private static let ways = 8

  private let rate: TokenRate
  private let groupCount: Int
  private let places: Mutex<[Place]>
  /// A refused client's reply.
  let refusal: [UInt8]

  /// - Parameters:
  ///   - rate: requests a second of one client, above 0; as many, and one at least, may come at once.
  ///   - clientsMax: how many clients are told apart at least while each sends; 24 bytes for each.
  public init(_ rate: Double, clientsMax: Int = Limits.rateClientsMax) {
    self.rate = TokenRate(rate)
    groupCount = max(1, clientsMax / ClientRates.ways)
    places = Mutex(Array(repeating: Place(), count: groupCount * ClientRates.ways))
    let text = "more than \(rate.plain) requests a second from one client"
    refusal = Array(
      "{\"error\":\"\(text); Retry-After says in how many seconds to come back\"}".utf8)
  }

  /// Counts a request. O(1), without allocating.
  ///
  /// - Parameter now: monotonic nanoseconds; loops may differ a little.
  /// - Returns: where it is one too many, in how many nanoseconds it would not be.
  func take(from client: ClientAddress, now: UInt64) -> UInt64? {
    let group = Int(UInt(bitPattern: client.hashValue) % UInt(groupCount))
    let first = group * ClientRates.ways
    return places.withLock { places in
      var chosen = first
      for index in first..<first + ClientRates.ways {
        if places[index].client == client { return places[index].bucket.take(rate, now: now) }
        if places[index].bucket.fullAt < places[chosen].bucket.fullAt { chosen = index }
      }
      places[chosen] = Place(client: client)
      return places[chosen].bucket.take(rate, now: now)
    }
  }
}
