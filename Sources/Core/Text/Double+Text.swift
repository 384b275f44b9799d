extension Double {
  /// Whole numbers without ".0".
  public var plain: String { Int64(exactly: self).map(String.init) ?? description }

  /// With a fixed number of decimals, rounded half up; for people. Magnitudes that have no room for so many are written as
  /// they are.
  public func fixed(_ decimals: Int) -> String {
    var scale: Int64 = 1
    for _ in 0..<decimals { scale *= 10 }
    guard magnitude * Double(scale) < 9e18 else { return description }
    let scaled = Int64((magnitude * Double(scale)).rounded())
    let sign = self < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(scaled)" }
    let fraction = String(scaled % scale)
    return "\(sign)\(scaled / scale)."
      + String(repeating: "0", count: decimals - fraction.count) + fraction
  }
}
