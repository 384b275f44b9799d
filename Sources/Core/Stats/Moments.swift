// The count, the mean and the sums of powers of the distances from it: what variance, skewness and kurtosis are made
// of. Updated by Welford's method and merged by Chan's (T. Chan, G. Golub, R. LeVeque, 1979; for the third and
// fourth power P. Pébay, 2008). The textbook way, differences of sums of powers, loses all its
// digits where the mean is large beside the spread.

/// Count, mean and sum of squared distances: 24 bytes.
public struct Moments2: Sendable, Equatable {
  public private(set) var count: Double
  public private(set) var mean: Double
  public private(set) var squares: Double

  public init(count: Double = 0, mean: Double = 0, squares: Double = 0) {
    self.count = count
    self.mean = mean
    self.squares = squares
  }

  /// Many values at once: their mean first, then their distances from it.
  public init(of values: UnsafeBufferPointer<Double>) {
    self.init()
    guard !values.isEmpty else { return }
    count = Double(values.count)
    var sum = 0.0
    for value in values { sum += value }
    mean = sum / count
    for value in values { squares += (value - mean) * (value - mean) }
  }

  /// Of the sample (divided by n - 1); nil of fewer than two values.
  public var variance: Double? { count > 1 ? max(0, squares) / (count - 1) : nil }

  public mutating func add(_ value: Double) {
    count += 1
    let distance = value - mean
    mean += distance / count
    squares += distance * (value - mean)
  }

  public mutating func merge(_ later: Moments2) {
    guard later.count > 0 else { return }
    guard count > 0 else {
      self = later
      return
    }
    let total = count + later.count
    let distance = later.mean - mean
    squares += later.squares + distance * distance * (count * later.count / total)
    mean += distance * (later.count / total)
    count = total
  }
}

/// The same with the third and fourth power: 40 bytes.
public struct Moments4: Sendable, Equatable {
  public private(set) var count: Double
  public private(set) var mean: Double
  public private(set) var squares: Double
  public private(set) var cubes: Double
  public private(set) var fourths: Double

  public init(
    count: Double = 0, mean: Double = 0, squares: Double = 0, cubes: Double = 0,
    fourths: Double = 0
  ) {
    self.count = count
    self.mean = mean
    self.squares = squares
    self.cubes = cubes
    self.fourths = fourths
  }

  public mutating func add(_ value: Double) {
    var one = Moments4()
    one.count = 1
    one.mean = value
    merge(one)
  }

  public mutating func merge(_ later: Moments4) {
    guard later.count > 0 else { return }
    guard count > 0 else {
      self = later
      return
    }
    let (left, right, total) = (count, later.count, count + later.count)
    let distance = later.mean - mean
    let share = distance / total
    let product = distance * share * left * right
    fourths +=
      later.fourths + product * share * share * (left * left - left * right + right * right)
      + 6 * share * share * (left * left * later.squares + right * right * squares)
      + 4 * share * (left * later.cubes - right * cubes)
    cubes +=
      later.cubes + product * share * (left - right)
      + 3 * share * (left * later.squares - right * squares)
    squares += later.squares + product
    mean += share * right
    count = total
  }
}
