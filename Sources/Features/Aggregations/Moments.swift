// The count, the mean and the sums of powers of the distances from it: what variance, skewness and kurtosis are made
// of. Updated by Welford's method and merged by Chan's (T. Chan, G. Golub, R. LeVeque, 1979; for the third and
// fourth power P. Pébay, 2008). The textbook way, differences of sums of powers, loses all its
// digits where the mean is large beside the spread.

import Core

/// Count, mean and sum of squared distances: 24 bytes.
struct Moments2 {
  private(set) var count = 0.0
  private(set) var mean = 0.0
  private(set) var squares = 0.0

  mutating func add(_ cell: Cell) {
    guard let value = cell.number else { return }
    count += 1
    let distance = value - mean
    mean += distance / count
    squares += distance * (value - mean)
  }

  mutating func merge(_ later: Moments2) {
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
struct Moments4 {
  private(set) var count = 0.0
  private(set) var mean = 0.0
  private(set) var squares = 0.0
  private(set) var cubes = 0.0
  private(set) var fourths = 0.0

  mutating func add(_ cell: Cell) {
    guard let value = cell.number else { return }
    var one = Moments4()
    one.count = 1
    one.mean = value
    merge(one)
  }

  mutating func merge(_ later: Moments4) {
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
