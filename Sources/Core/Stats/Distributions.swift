// The distributions that intervals and tests are read from. Each gives its lower and its upper tail as a sum of its
// own, since 1 − 0.9999999999999999 has lost what the question was about; quantiles are found by halving, which needs no
// starting guess and cannot fail to end. Checked against scipy in `Fixtures/stats`.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The standard normal distribution.
public enum NormalDistribution {
  public static func lowerTail(_ z: Double) -> Double { 0.5 * erfc(-z * 0.5.squareRoot()) }

  public static func upperTail(_ z: Double) -> Double { lowerTail(-z) }

  /// The z below which a share of `probability` lies; ±∞ at 1 and 0.
  public static func quantile(_ probability: Double) -> Double {
    if probability <= 0 { return -.infinity }
    if probability >= 1 { return .infinity }
    // From the smaller tail, where a double holds more digits; symmetric.
    if probability > 0.5 { return -quantile(1 - probability) }
    return halve(-40, 0) { z in lowerTail(z) < probability }
  }
}

/// The chi-squared distribution, by its degrees of freedom (> 0).
public enum ChiSquaredDistribution {
  public static func lowerTail(_ x: Double, degrees: Double) -> Double {
    SpecialFunctions.incompleteGamma(shape: degrees / 2, x / 2).lower
  }

  public static func upperTail(_ x: Double, degrees: Double) -> Double {
    SpecialFunctions.incompleteGamma(shape: degrees / 2, x / 2).upper
  }
}

/// The Poisson distribution, by its mean (> 0).
public enum PoissonDistribution {
  /// The chance of `count` or fewer.
  public static func lowerTail(_ count: Int, mean: Double) -> Double {
    count < 0 ? 0 : SpecialFunctions.incompleteGamma(shape: Double(count) + 1, mean).upper
  }

  /// The chance of `count` or more.
  public static func upperTail(_ count: Int, mean: Double) -> Double {
    count <= 0 ? 1 : SpecialFunctions.incompleteGamma(shape: Double(count), mean).lower
  }
}

/// The beta distribution, a and b > 0.
public enum BetaDistribution {
  public static func lowerTail(_ x: Double, _ a: Double, _ b: Double) -> Double {
    SpecialFunctions.incompleteBeta(a, b, x, rest: 1 - x).lower
  }

  public static func upperTail(_ x: Double, _ a: Double, _ b: Double) -> Double {
    SpecialFunctions.incompleteBeta(a, b, x, rest: 1 - x).upper
  }

  /// The x below which a share of `probability` lies.
  public static func quantile(_ probability: Double, _ a: Double, _ b: Double) -> Double {
    if probability <= 0 { return 0 }
    if probability >= 1 { return 1 }
    return halve(0, 1) { x in lowerTail(x, a, b) < probability }
  }
}

/// The binomial distribution: successes of `trials`, each with the same `chance`.
public enum BinomialDistribution {
  /// The chance of `count` or fewer successes.
  public static func lowerTail(_ count: Int, of trials: Int, chance: Double) -> Double {
    if count < 0 { return 0 }
    if count >= trials { return 1 }
    let tails = SpecialFunctions.incompleteBeta(
      Double(count) + 1, Double(trials - count), chance, rest: 1 - chance)
    return tails.upper
  }

  /// The chance of `count` or more successes.
  public static func upperTail(_ count: Int, of trials: Int, chance: Double) -> Double {
    if count <= 0 { return 1 }
    if count > trials { return 0 }
    let tails = SpecialFunctions.incompleteBeta(
      Double(count), Double(trials - count) + 1, chance, rest: 1 - chance)
    return tails.lower
  }

  /// The smallest count that at least a share of `probability` does not exceed.
  public static func quantile(_ probability: Double, of trials: Int, chance: Double) -> Int {
    var low = 0
    var high = trials
    while low < high {
      let middle = low + (high - low) / 2
      if lowerTail(middle, of: trials, chance: chance) >= probability {
        high = middle
      } else {
        low = middle + 1
      }
    }
    return low
  }

  /// The exact interval for the chance behind `count` successes of `trials` (Clopper and Pearson, 1934): covers with at
  /// least `confidence`.
  public static func interval(_ count: Int, of trials: Int, confidence: Double) -> ClosedRange<
    Double
  > {
    let tail = (1 - confidence) / 2
    let low =
      count <= 0 ? 0 : BetaDistribution.quantile(tail, Double(count), Double(trials - count) + 1)
    let high =
      count >= trials
      ? 1 : BetaDistribution.quantile(1 - tail, Double(count) + 1, Double(trials - count))
    return low...max(low, high)
  }
}

/// Student's t, by its degrees of freedom (> 0).
public enum StudentDistribution {
  public static func upperTail(_ t: Double, degrees: Double) -> Double {
    if t == 0 { return 0.5 }
    let square = t * t
    let whole = degrees + square
    let tail =
      SpecialFunctions.incompleteBeta(degrees / 2, 0.5, degrees / whole, rest: square / whole).lower
      / 2
    return t > 0 ? tail : 1 - tail
  }

  public static func quantile(_ probability: Double, degrees: Double) -> Double {
    if probability <= 0 { return -.infinity }
    if probability >= 1 { return .infinity }
    if probability > 0.5 { return -quantile(1 - probability, degrees: degrees) }
    var low = -1.0
    while upperTail(-low, degrees: degrees) > probability { low *= 2 }
    return halve(low, 0) { t in upperTail(-t, degrees: degrees) < probability }
  }
}

/// Kolmogorov's distribution: √n times the largest distance between a sample's distribution function and the true one,
/// as n grows.
public enum KolmogorovDistribution {
  public static func upperTail(_ x: Double) -> Double {
    if x <= 0 { return 1 }
    if x < 1 { return 1 - lowerTail(x) }
    var sum = 0.0
    var sign = 1.0
    var index = 1.0
    while true {
      let term = exp(-2 * index * index * x * x)
      let next = sum + sign * term
      if next == sum { return 2 * sum }
      sum = next
      sign = -sign
      index += 1
    }
  }

  /// The form that converges fast for a small x (a theta function, turned over).
  private static func lowerTail(_ x: Double) -> Double {
    let step = -Double.pi * Double.pi / (8 * x * x)
    var sum = 0.0
    var odd = 1.0
    while true {
      let next = sum + exp(step * odd * odd)
      if next == sum { return (2 * Double.pi).squareRoot() / x * sum }
      sum = next
      odd += 2
    }
  }
}

/// The border between where `isBelow` holds and where it does not, in [low, high], to the last bit.
private func halve(_ low: Double, _ high: Double, _ isBelow: (Double) -> Bool) -> Double {
  var low = low
  var high = high
  while true {
    let middle = low + (high - low) / 2
    if middle <= low || middle >= high { return high }
    if isBelow(middle) { low = middle } else { high = middle }
  }
}
