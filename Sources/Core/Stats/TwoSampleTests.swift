// Did two samples come from one distribution? Three answers, each with the chance (p-value) of a distance at least as
// large if they did.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct TestResult: Sendable, Equatable {
  public let statistic: Double
  public let p: Double
}

/// Pearson's test of homogeneity over bins.
public enum ChiSquaredTest {
  /// Nil where fewer than two bins have a record.
  public static func run(_ reference: [Double], _ current: [Double]) -> TestResult? {
    let bins = zip(reference, current).filter { $0.0 + $0.1 > 0 }
    let first = reference.reduce(0, +)
    let second = current.reduce(0, +)
    guard bins.count > 1, first > 0, second > 0 else { return nil }
    var statistic = 0.0
    for (one, two) in bins {
      let share = (one + two) / (first + second)
      let distance = one - first * share
      // Both sides of a bin are off by the same number of records.
      statistic += distance * distance * (1 / (first * share) + 1 / (second * share))
    }
    return TestResult(
      statistic: statistic,
      p: ChiSquaredDistribution.upperTail(statistic, degrees: Double(bins.count - 1)))
  }
}

/// Two samples side by side: at each value, or at each edge, how many of either lie there.
public struct PairedCounts: Sendable {
  public let first: [Double]
  public let second: [Double]
  public let firstTotal: Double
  public let secondTotal: Double

  /// - Precondition: as many counts in both.
  public init(_ first: [Double], _ second: [Double]) {
    precondition(first.count == second.count, "counts of the same places")
    self.first = first
    self.second = second
    firstTotal = first.reduce(0, +)
    secondTotal = second.reduce(0, +)
  }
}

/// The largest distance between two distribution functions.
public enum KolmogorovSmirnovTest {
  /// Steps of the exact computation, some 10 ms: two samples of 2,000.
  private static let stepsMax = 4e6

  /// - Precondition: both samples have a value.
  public static func run(_ pairs: PairedCounts) -> TestResult {
    let statistic = distance(pairs)
    return TestResult(statistic: statistic, p: p(statistic, pairs))
  }

  public static func distance(_ pairs: PairedCounts) -> Double {
    var (one, two, largest) = (0.0, 0.0, 0.0)
    for index in pairs.first.indices {
      one += pairs.first[index]
      two += pairs.second[index]
      largest = max(largest, abs(one / pairs.firstTotal - two / pairs.secondTotal))
    }
    return largest
  }

  private static func p(_ statistic: Double, _ pairs: PairedCounts) -> Double {
    guard statistic > 0 else { return 1 }
    let (n, m) = (pairs.firstTotal, pairs.secondTotal)
    let isWhole = (pairs.first + pairs.second).allSatisfy { $0 == $0.rounded() }
    if isWhole, (n + m) * min(n, m) <= stepsMax { return exact(statistic, pairs) }
    let root = (n * m / (n + m)).squareRoot()
    // M. Stephens' correction (1970), good from a few values on.
    return KolmogorovDistribution.upperTail((root + 0.12 + 0.11 / root) * statistic)
  }

  /// The share of all ways to draw the pooled values, one after the other, in which the distance is reached at the end
  /// of a run of equal values: exact with ties, too (G. Schröer and D. Trenkler, 1995).
  ///
  /// The chance that the next value is of the first sample is that of drawing from an urn; what reaches the distance is
  /// taken out and summed up, so that a small result is not a difference of large ones.
  private static func exact(_ statistic: Double, _ pairs: PairedCounts) -> Double {
    let swap = pairs.firstTotal > pairs.secondTotal
    let n = Int(min(pairs.firstTotal, pairs.secondTotal))
    let total = Int(pairs.firstTotal + pairs.secondTotal)
    let m = total - n
    // A hair less, as both sides were rounded.
    let bound = statistic * (1 - 1e-12) - 1e-14
    var chances = [Double](repeating: 0, count: n + 2)
    chances[0] = 1
    var (low, high, drawn, sum) = (0, 0, 0, 0.0)
    for index in pairs.first.indices {
      let block =
        Int(swap ? pairs.second[index] : pairs.first[index])
        + Int(swap ? pairs.first[index] : pairs.second[index])
      guard block > 0 else { continue }
      for _ in 0..<block {
        let left = Double(total - drawn)
        // From above, so that each is read before it is overwritten.
        if high < n { chances[high + 1] = 0 }
        for taken in stride(from: high, through: low, by: -1) {
          let chance = chances[taken]
          let toFirst = Double(n - taken) / left
          if taken < n { chances[taken + 1] += chance * toFirst }
          chances[taken] = chance * (1 - toFirst)
        }
        drawn += 1
        if high < n { high += 1 }
        // What the second sample cannot have given.
        while low < drawn - m {
          chances[low] = 0
          low += 1
        }
      }
      func isReached(_ taken: Int) -> Bool {
        abs(Double(taken) / Double(n) - Double(drawn - taken) / Double(m)) >= bound
      }
      while low <= high, isReached(low) {
        sum += chances[low]
        chances[low] = 0
        low += 1
      }
      while high >= low, isReached(high) {
        sum += chances[high]
        chances[high] = 0
        high -= 1
      }
      if low > high { return 1 }
    }
    return min(1, sum)
  }
}

/// The squared distance between two distribution functions, summed over all values (T. Anderson, 1962).
public enum CramerVonMisesTest {
  /// The statistic by its definition, so that equal values add nothing where there is no distance; without ties it is
  /// that of the ranks. The chance is its limit's.
  /// - Precondition: both samples have a value.
  public static func run(_ pairs: PairedCounts) -> TestResult {
    let (n, m) = (pairs.firstTotal, pairs.secondTotal)
    let total = n + m
    let product = n * m
    var (one, two, sum) = (0.0, 0.0, 0.0)
    for index in pairs.first.indices {
      one += pairs.first[index]
      two += pairs.second[index]
      let distance = one / n - two / m
      sum += (pairs.first[index] + pairs.second[index]) * distance * distance
    }
    let statistic = product / (total * total) * sum
    let mean = (1 + 1 / total) / 6
    let variance =
      (total + 1) * (4 * product * total - 3 * (n * n + m * m) - 2 * product)
      / (45 * total * total * 4 * product)
    let scaled = 1.0 / 6 + (statistic - mean) / (45 * variance).squareRoot()
    return TestResult(statistic: statistic, p: upperTail(scaled))
  }

  /// Of the limiting distribution (S. Csörgő and J. Faraway, 1996).
  private static func upperTail(_ x: Double) -> Double {
    guard x > 0.003 else { return 1 }
    var (sum, weight, index) = (0.0, 1.0, 0.0)
    while true {
      let y = 4 * index + 1
      let q = y * y / (16 * x)
      let term = weight * y.squareRoot() * scaledBessel(q)
      sum += term
      if term < 1e-12 { break }
      weight *= (index + 0.5) / (index + 1)
      index += 1
    }
    return min(1, max(0, 1 - sum / (Double.pi * x.squareRoot())))
  }

  /// e^-q K(q), the modified Bessel function of the second kind and order 1/4, from its integral: the trapezoidal rule
  /// converges there as fast as digits can be used up.
  private static func scaledBessel(_ q: Double) -> Double {
    let step = 0.02
    var sum = 0.5 * exp(-2 * q)
    var t = step
    while true {
      let term = exp(-q * (cosh(t) + 1)) * cosh(t / 4)
      sum += term
      if term < 1e-18 { return sum * step }
      t += step
    }
  }
}

/// The area between two distribution functions: how far, on average, values would have to be moved (Wasserstein-1).
public enum WassersteinDistance {
  /// - Parameters:
  ///   - grid: ascending places.
  ///   - reference, current: the share of values at or below each.
  ///   - isExact: the functions are steps at the places; else they are straight between them.
  ///   - bounds: only what lies between counts.
  public static func run(
    _ grid: [Double], _ reference: [Double], _ current: [Double], isExact: Bool,
    within bounds: ClosedRange<Double>? = nil
  ) -> Double {
    var sum = 0.0
    for index in grid.indices.dropLast() {
      let (left, right) = (grid[index], grid[index + 1])
      let low = bounds.map { max(left, $0.lowerBound) } ?? left
      let high = bounds.map { min(right, $0.upperBound) } ?? right
      guard high > low else { continue }
      let start = reference[index] - current[index]
      let end = isExact ? start : reference[index + 1] - current[index + 1]
      sum += meanMagnitude(start, end) * (high - low)
    }
    return sum
  }

  /// Of a straight line between two values.
  private static func meanMagnitude(_ start: Double, _ end: Double) -> Double {
    if start * end >= 0 { return abs(start + end) / 2 }
    return (start * start + end * end) / (2 * (abs(start) + abs(end)))
  }
}

/// Many questions at once.
public enum FalseDiscovery {
  /// Adjusted p-values (Y. Benjamini and Y. Hochberg, 1995): of those called significant at a level, that share is wrong
  /// at most, on average.
  public static func adjusted(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] > values[$1] }
    var result = values
    var least = 1.0
    for (place, index) in order.enumerated() {
      least = min(least, values[index] * Double(values.count) / Double(values.count - place))
      result[index] = least
    }
    return result
  }
}
