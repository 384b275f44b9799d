// Where one request's time went, as its server says in the Server-Timing header (W3C): milliseconds by name.
//
//     Server-Timing: request;dur=0.0041, queue;dur=0, features;dur=1.25, inference;dur=3.1, …

public import Core

public struct LayerTiming: Sendable, Equatable {
  /// The layers, and waiting.
  public static let names = Layer.allCases.map(\.rawValue) + ["queue"]
  public static let count = 6

  /// Nanoseconds in the order of `names`; zero where nothing was said.
  public private(set) var nanoseconds = SIMD8<UInt64>()
  /// A bit for each layer of which something was said: what nobody measured took no time that could be judged.
  private var measured: UInt8 = 0

  /// Something was said of any layer.
  public var isPresent: Bool { measured != 0 }

  /// One layer's nanoseconds; nil where nothing was said of it.
  public subscript(index: Int) -> UInt64? {
    get { measured & 1 << index == 0 ? nil : nanoseconds[index] }
    set {
      nanoseconds[index] = newValue ?? 0
      measured = newValue == nil ? measured & ~(1 << index) : measured | 1 << index
    }
  }

  public init() {}

  /// Entries of other names, and any that cannot be read, are passed over.
  public init(serverTiming text: Bytes) {
    var rest = text
    while !rest.isEmpty {
      let comma = rest.buffer.firstIndex(of: UInt8(ascii: ",")) ?? rest.count
      take(rest[0..<comma].trimmed)
      rest = rest[min(comma + 1, rest.count)..<rest.count]
    }
  }

  private mutating func take(_ entry: Bytes) {
    guard let semicolon = entry.buffer.firstIndex(of: UInt8(ascii: ";")),
      let index = LayerTiming.index(entry[0..<semicolon])
    else { return }
    let parameter = entry[semicolon + 1..<entry.count].trimmed
    guard parameter.starts(with: Bytes("dur=")),
      let value = LayerTiming.decimal(parameter[4..<parameter.count])
    else { return }
    self[index] = value
  }

  /// By length and first byte, which tell the six apart; the rest is checked then.
  static func index(_ name: Bytes) -> Int? {
    for (index, known) in keys.enumerated() where name == known { return index }
    return nil
  }

  private static let keys: [StaticString] = [
    "request", "features", "inference", "postprocess", "response", "queue",
  ]

  /// Milliseconds as digits with a point, in nanoseconds; nil for anything else.
  private static func decimal(_ text: Bytes) -> UInt64? {
    var (value, decimals, seenPoint): (UInt64, Int, Bool) = (0, 0, false)
    guard !text.isEmpty, text.count <= 16 else { return nil }
    for byte in text.buffer {
      if byte == UInt8(ascii: "."), !seenPoint {
        seenPoint = true
      } else if byte &- UInt8(ascii: "0") <= 9 {
        if seenPoint {
          // Below a nanosecond.
          if decimals == 6 { continue }
          decimals += 1
        }
        value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
      } else {
        return nil
      }
    }
    while decimals < 6 {
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = scaled
      decimals += 1
    }
    return value
  }

  public func append(to output: OutputBuffer) {
    output.append("{")
    var first = true
    for index in 0..<LayerTiming.count {
      guard let nanoseconds = self[index] else { continue }
      if !first { output.append(UInt8(ascii: ",")) }
      first = false
      output.appendQuoted(Bytes(LayerTiming.keys[index]))
      output.append(UInt8(ascii: ":"))
      output.appendMicroseconds(nanoseconds: nanoseconds)
    }
    output.append("}")
  }
}
