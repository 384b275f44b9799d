// Lengths of time as people write them in flags and project files: "90s", "5m", "1h30m", "1.5d", "250ms".

extension TimeSpan {
  private static let units: [(name: String, microseconds: Double)] = [
    ("us", 1), ("ms", 1e3), ("s", 1e6), ("m", 60e6), ("h", 3_600e6), ("d", 86_400e6),
    ("w", 604_800e6),
  ]

  /// Nil when the text is not a number with a unit, or several of those in a row.
  public init?(_ text: String) {
    var total = 0.0
    var rest = Substring(text)
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let number = rest.prefix { ("0"..."9").contains($0) || $0 == "." }
      rest = rest.dropFirst(number.count)
      let unit = rest.prefix { ("a"..."z").contains($0) }
      rest = rest.dropFirst(unit.count)
      guard let value = Double(number), let scale = TimeSpan.units.first(where: { $0.name == unit })
      else { return nil }
      total += value * scale.microseconds
    }
    // 31,700 years: a few of them added up still fit.
    guard total <= 1e18 else { return nil }
    self.init(microseconds: Int64(total.rounded()))
  }

  /// The form that the message of a bad duration offers.
  public static let expectation = "a number and a unit: us, ms, s, m, h, d or w, as in 90s or 1h30m"

  /// In the largest units that give whole numbers: "1h30m".
  public var description: String {
    guard microseconds != 0 else { return "0s" }
    var rest = microseconds.magnitude
    var text = microseconds < 0 ? "-" : ""
    for (name, scale) in TimeSpan.units.reversed() where name != "w" {
      let count = rest / UInt64(scale)
      if count > 0 { text += "\(count)\(name)" }
      rest -= count * UInt64(scale)
    }
    return text
  }
}
