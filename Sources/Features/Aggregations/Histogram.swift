// How often each value occurs, as an object with the values as keys, in the order of their text; or, with `bounds`, how
// many numbers lie in each of the stretches that the bounds part, as a list: below the first, from the first
// to below the second, and so on. State: about 40 bytes for each different value or stretch that occurs.
// Exact. An empty object, or a list of zeros, of nothing.

import Core

struct HistogramBounds: Sendable {
  /// Ascending; empty: each value for itself.
  let bounds: [Double]

  init(_ node: ConfigNode) throws(Failure) {
    var bounds: [Double] = []
    for bound in try node["bounds"]?.list() ?? [] {
      let value = try bound.double()
      if let last = bounds.last, value <= last {
        throw bound.failure("bounds ascend: \(value) is not above \(last)")
      }
      bounds.append(value)
    }
    if let node = node["bounds"], bounds.isEmpty || bounds.count > Limits.featureListMax {
      throw node.failure("expected 1 to \(Limits.featureListMax) bounds, found \(bounds.count)")
    }
    self.bounds = bounds
  }
}

struct Histogram: Aggregation {
  private let parameters: HistogramBounds
  private var counts: [DistinctKey: Int64] = [:]

  init(_ parameters: HistogramBounds) { self.parameters = parameters }

  mutating func add(_ cell: Cell, at _: Timestamp) {
    if parameters.bounds.isEmpty {
      if let key = DistinctKey(cell) { counts[key, default: 0] += 1 }
    } else if let number = cell.number {
      counts[.int(Int64(stretch(of: number))), default: 0] += 1
    }
  }

  /// How many bounds are not above the number.
  private func stretch(of number: Double) -> Int {
    var low = 0
    var high = parameters.bounds.count
    while low < high {
      let middle = (low + high) / 2
      if parameters.bounds[middle] <= number { low = middle + 1 } else { high = middle }
    }
    return low
  }

  mutating func merge(_ later: Histogram) {
    if counts.isEmpty {
      counts = later.counts
    } else {
      counts.merge(later.counts, uniquingKeysWith: +)
    }
  }

  func result(_ question: Question) -> Cell {
    guard parameters.bounds.isEmpty else {
      return question.texts.list(
        (0...parameters.bounds.count).map { Cell.int(counts[.int(Int64($0))] ?? 0) })
    }
    return question.texts.write { output, texts in
      let named = counts.map { (texts.name(of: $0.key.cell), $0.value) }
      output.append(UInt8(ascii: "{"))
      for (index, entry) in named.sorted(by: { $0.0.lexicographicallyPrecedes($1.0) }).enumerated()
      {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        entry.0.withBytes { output.appendQuoted($0) }
        output.append(UInt8(ascii: ":"))
        output.append(entry.1)
      }
      output.append(UInt8(ascii: "}"))
    }
  }

  static var checkpointSpacing: Int { 1_024 }
}

extension AnswerTexts {
  /// A value as the key of an object.
  fileprivate func name(of cell: Cell) -> [UInt8] {
    switch cell {
    case .text(let index): strings[Int(index)].copy()
    case .int(let value): Array("\(value)".utf8)
    case .uint(let value): Array("\(value)".utf8)
    case .double(let value): Array("\(value)".utf8)
    case .bool(let value): Array("\(value)".utf8)
    case .time(let value): Array(value.rfc3339.utf8)
    case .null, .document: []
    }
  }
}

extension Histogram {
  func write(to bytes: inout StateWriter) {
    bytes.write(UInt32(counts.count))
    for (key, count) in counts {
      bytes.write(key.cell)
      bytes.write(count)
    }
  }

  init(_ parameters: HistogramBounds, from bytes: inout StateReader) {
    self.init(parameters)
    for _ in 0..<bytes.readCount(entriesOfAtLeast: 9) {
      let cell = bytes.read(Cell.self)
      let count = bytes.read(Int64.self)
      if let key = DistinctKey(cell) { counts[key] = count }
    }
  }
}
