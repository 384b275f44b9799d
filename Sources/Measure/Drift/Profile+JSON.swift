// A profile as one JSON object on one line.
//
//     {"kind":"profile","version":1,"records":24950,"since":"…","until":"…","every":"1d","columns":[
//       {"name":"dep_delay","type":"number","nulls":0,"numbers":24511,"integers":24511,…,
//        "mean":12.6,"squares":39e6,"min":-43,"max":1301,"quantiles":{"p50":-2,…},
//        "exact":true,"edges":[-43,-33,…],"counts":[1,2,…],"windows":[[1356998400000000,842,11.5,933521.1],…]},
//       {"name":"carrier","type":"category",…,"categories":[["UA",4637],["B6",4427],…],"other":0,"distinct":16}]}
//
// A count stands for the values above the edge before its own and up to it; what is above the last edge or below the
// first was never seen. `squares` is the sum of squared distances from the mean, which is what merges; null where
// no double holds it, as of values beyond 1e154.

public import Core

extension Profile {
  public static let version = 1
  /// Categories that are written down; the others are one sum.
  static let categoriesMax = 256

  /// - Precondition: the columns are settled (`ProfileBuilder.finish`).
  public func append(to output: OutputBuffer) {
    output.append("{\"kind\":\"profile\",\"version\":")
    output.append(Int64(Profile.version))
    output.append(",\"records\":")
    output.append(records)
    if let since, let until {
      output.append(",\"since\":")
      output.appendQuoted(since)
      output.append(",\"until\":")
      output.appendQuoted(until)
    }
    if let window {
      output.append(",\"every\":")
      output.appendQuoted(window.description)
    }
    output.append(",\"columns\":[")
    for (index, column) in columns.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      column.append(to: output)
    }
    output.append("]}\n")
  }
}

extension ColumnProfile {
  /// The members that are counts, by the name they have in the profile.
  static let kindNames: [(name: String, path: any WritableKeyPath<Kinds, Int64> & Sendable)] = [
    ("nulls", \.nulls), ("numbers", \.numbers), ("integers", \.integers), ("texts", \.texts),
    ("times", \.times), ("flags", \.flags), ("composites", \.composites),
    ("not_finite", \.notFinite),
  ]

  static let shownQuantiles: [(name: String, share: Double)] = [
    ("p01", 0.01), ("p05", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95),
    ("p99", 0.99),
  ]

  func append(to output: OutputBuffer) {
    output.append("{\"name\":")
    output.appendQuoted(name)
    output.append(",\"type\":")
    output.appendQuoted(type.rawValue)
    for kind in ColumnProfile.kindNames where kinds[keyPath: kind.path] > 0 {
      output.append(",\"\(kind.name)\":")
      output.append(kinds[keyPath: kind.path])
    }
    if kinds.numbers > 0 { appendNumbers(to: output) }
    if kinds.texts - kinds.times + kinds.flags > 0 { appendCategories(to: output) }
    output.append("}")
  }

  private func appendNumbers(to output: OutputBuffer) {
    let values = [
      ("mean", moments.mean), ("squares", moments.squares), ("min", minimum), ("max", maximum),
    ]
    for (name, value) in values {
      output.append(",\"\(name)\":")
      output.append(value)
    }
    let isSmall = edges.edges.count <= (edges.isExact ? 1 : 2) * EdgeCounts.binsTarget
    let written = isSmall ? edges : edges.thinned(to: EdgeCounts.binsTarget)
    output.append(",\"quantiles\":{")
    for (index, quantile) in ColumnProfile.shownQuantiles.enumerated() {
      if index > 0 { output.append(",") }
      output.append("\"\(quantile.name)\":")
      output.append(written.quantile(quantile.share) ?? 0)
    }
    output.append("},\"exact\":")
    output.append(.bool(written.isExact))
    output.append(",\"edges\":[")
    appendList(written.edges, to: output) { output.append($0) }
    output.append("],\"counts\":[")
    appendList(written.counts, to: output) { output.append($0) }
    output.append("]")
    guard !windows.isEmpty else { return }
    output.append(",\"windows\":[")
    appendList(windows.sorted { $0.key < $1.key }, to: output) { (start, moments) in
      output.append("[")
      output.append(start)
      for value in [moments.count, moments.mean, moments.squares] {
        output.append(",")
        output.append(value)
      }
      output.append("]")
    }
    output.append("]")
  }

  private func appendCategories(to output: OutputBuffer) {
    let shown = categories.top(Profile.categoriesMax)
    output.append(",\"categories\":[")
    appendList(shown, to: output) { category in
      output.append("[")
      output.appendQuoted(category.name)
      output.append(",")
      output.append(category.count)
      output.append("]")
    }
    output.append("],\"other\":")
    output.append(categories.total - shown.reduce(0) { $0 + $1.count })
    output.append(",\"distinct\":")
    output.append(Int64(categories.distinct))
    if let registers = categories.registers(keeping: Profile.categoriesMax) {
      output.append(",\"registers\":\"")
      registers.withBytes { Base64.encode($0) { output.append($0) } }
      output.append("\"")
    }
  }

  private func appendList<Elements: Sequence>(
    _ elements: Elements, to output: OutputBuffer, _ append: (Elements.Element) -> Void
  ) {
    for (index, element) in elements.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      append(element)
    }
  }
}
