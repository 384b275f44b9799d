// A percentile from DDSketch (C. Masson, J. Rim, H. Lee, 2019): values are counted in bins whose borders grow by a
// constant factor, so the result lies within `error` (1 % by default) of the true value, relative to it. State: 16 bytes
// for each bin in use, which for values between 0.001 and 1000 are at most 700 at 1 %. Grouping does not change it: the
// counts of equal bins add up. Null of nothing.
//
// The true value is the one at rank floor(p · (n - 1)) of the sorted values, counted from 0.

import Core
import Glibc

struct PercentileParameters: Sendable {
  let p: Double
  let error: Double
  /// The factor between the borders of a bin, and its logarithm.
  fileprivate let growth: Double
  fileprivate let logGrowth: Double

  init(p: Double, error: Double) {
    self.p = p
    self.error = error
    growth = (1 + error) / (1 - error)
    logGrowth = log(growth)
  }

  init(_ node: ConfigNode) throws(Failure) {
    let p = try node.required("p")
    guard (0...1).contains(try p.double()) else {
      throw p.failure("\(try p.double()) is no share between 0 and 1 (0.99 is the 99th percentile)")
    }
    var error = 0.01
    if let node = node["error"] {
      error = try node.double()
      guard (0.0001...0.5).contains(error) else {
        throw node.failure("\(error) is not between 0.0001 and 0.5")
      }
    }
    self.init(p: try p.double(), error: error)
  }
}

/// Counts by the logarithm of the magnitude, in ascending order.
private struct Bins {
  var bins: [(index: Int32, count: Int64)] = []

  mutating func add(_ index: Int32, _ count: Int64) {
    var low = 0
    var high = bins.count
    while low < high {
      let middle = (low + high) / 2
      if bins[middle].index < index { low = middle + 1 } else { high = middle }
    }
    if low < bins.count, bins[low].index == index {
      bins[low].count += count
    } else {
      bins.insert((index, count), at: low)
    }
  }

  mutating func merge(_ later: Bins) {
    if bins.isEmpty {
      bins = later.bins
    } else {
      for bin in later.bins { add(bin.index, bin.count) }
    }
  }
}

struct Percentile: Aggregation {
  private let parameters: PercentileParameters
  private var positives = Bins()
  private var negatives = Bins()
  private var zeros: Int64 = 0
  private var count: Int64 = 0
  private var least = Double.infinity
  private var greatest = -Double.infinity

  init(_ parameters: PercentileParameters) { self.parameters = parameters }

  mutating func add(_ cell: Cell, at _: Timestamp) {
    guard let value = cell.number else { return }
    count += 1
    least = min(least, value)
    greatest = max(greatest, value)
    if value == 0 {
      zeros += 1
    } else if value > 0 {
      positives.add(bin(value), 1)
    } else {
      negatives.add(bin(-value), 1)
    }
  }

  /// The bin of magnitudes above growth^(i - 1) and up to growth^i.
  private func bin(_ magnitude: Double) -> Int32 {
    Int32((log(magnitude) / parameters.logGrowth).rounded(.up))
  }

  mutating func merge(_ later: Percentile) {
    positives.merge(later.positives)
    negatives.merge(later.negatives)
    zeros += later.zeros
    count += later.count
    least = min(least, later.least)
    greatest = max(greatest, later.greatest)
  }

  func result(_: Question) -> Cell {
    guard count > 0 else { return .null }
    let rank = Int64((parameters.p * Double(count - 1)).rounded(.down))
    // The ends are known exactly.
    if rank == 0 { return .double(least) }
    if rank == count - 1 { return .double(greatest) }
    return .double(min(max(binValue(rank), least), greatest))
  }

  private func binValue(_ rank: Int64) -> Double {
    var rest = rank
    for bin in negatives.bins.reversed() {
      if rest < bin.count { return -middle(bin.index) }
      rest -= bin.count
    }
    if rest < zeros { return 0 }
    rest -= zeros
    for bin in positives.bins {
      if rest < bin.count { return middle(bin.index) }
      rest -= bin.count
    }
    return greatest
  }

  /// As far, relatively, from both borders of the bin.
  private func middle(_ index: Int32) -> Double {
    2 * pow(parameters.growth, Double(index)) / (parameters.growth + 1)
  }

  static var checkpointSpacing: Int { 1_024 }
}

extension Percentile {
  func write(to bytes: inout StateWriter) {
    bytes.write(count)
    bytes.write(zeros)
    bytes.write(least)
    bytes.write(greatest)
    for part in [positives, negatives] {
      bytes.write(UInt32(part.bins.count))
      for bin in part.bins {
        bytes.write(bin.index)
        bytes.write(bin.count)
      }
    }
  }

  init(_ parameters: PercentileParameters, from bytes: inout StateReader) {
    self.init(parameters)
    count = bytes.read()
    zeros = bytes.read()
    least = bytes.read()
    greatest = bytes.read()
    positives = Bins(from: &bytes)
    negatives = Bins(from: &bytes)
  }
}

extension Bins {
  fileprivate init(from bytes: inout StateReader) {
    let count = bytes.readCount(entriesOfAtLeast: 12)
    bins.reserveCapacity(count)
    for _ in 0..<count {
      let index = bytes.read(Int32.self)
      bins.append((index, bytes.read(Int64.self)))
    }
  }
}
