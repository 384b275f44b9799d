// The two functions from which the distributions are made: the incomplete gamma and the incomplete beta function, both
// regularised (0 to 1). Each is a mass at one point, times a series or a continued fraction (Numerical Recipes, 6.2 and
// 6.4; the fractions by Lentz's method). The mass is not taken from differences of log-gammas, which lose nine digits
// at a million, but from Loader's saddle-point expansion ("Fast and Accurate Computation of Binomial Probabilities",
// 2000), in which large terms never meet.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

enum SpecialFunctions {
  /// Both halves of the incomplete gamma function, P and Q = 1 − P, each right where it is small.
  ///
  /// - Parameters: `shape` > 0; `x` ≥ 0.
  /// - Complexity: O(√shape) near the middle.
  static func incompleteGamma(shape: Double, _ x: Double) -> (lower: Double, upper: Double) {
    guard x > 0 else { return (0, 1) }
    guard x < .infinity else { return (1, 0) }
    let mass = poissonMass(shape, mean: x)
    if x < shape + 1 {
      var term = 1.0
      var sum = 1.0
      var divisor = shape
      while term > sum * 1e-17 {
        divisor += 1
        term *= x / divisor
        sum += term
      }
      let lower = min(1, mass * sum)
      return (lower, 1 - lower)
    }
    var fraction = Lentz(x + 1 - shape)
    var index = 1.0
    while fraction.moves {
      fraction.step(-index * (index - shape), x + 2 * index + 1 - shape)
      index += 1
    }
    let upper = min(1, mass * shape / fraction.value)
    return (1 - upper, upper)
  }

  /// Both halves of the incomplete beta function, I and 1 − I, at x; `rest` is 1 − x, which the caller may know more
  /// exactly than a subtraction would.
  ///
  /// - Parameters: `a`, `b` > 0; 0 ≤ x ≤ 1.
  /// - Complexity: O(√max(a, b)).
  static func incompleteBeta(_ a: Double, _ b: Double, _ x: Double, rest: Double) -> (
    lower: Double, upper: Double
  ) {
    guard x > 0 else { return (0, 1) }
    guard rest > 0 else { return (1, 0) }
    if x > (a + 1) / (a + b + 2) {
      let swapped = incompleteBeta(b, a, rest, rest: x)
      return (swapped.upper, swapped.lower)
    }
    let mass = binomialMass(a, of: a + b, x, rest) * b / (a + b)
    var fraction = Lentz(1)
    fraction.step(-(a + b) * x / (a + 1), 1)
    var index = 1.0
    while fraction.moves {
      let twice = a + 2 * index
      fraction.step(index * (b - index) * x / ((twice - 1) * twice), 1)
      fraction.step(-(a + index) * (a + b + index) * x / (twice * (twice + 1)), 1)
      index += 1
    }
    let lower = min(1, mass / fraction.value)
    return (lower, 1 - lower)
  }

  /// `meanˣ e^−mean ÷ Γ(x + 1)`, for x > 0 that need not be whole.
  static func poissonMass(_ x: Double, mean: Double) -> Double {
    exp(-stirlingError(x) - deviance(x, mean)) / (2 * Double.pi * x).squareRoot()
  }

  /// The chance of `x` successes of `n`, 0 < x < n, neither of which need be whole.
  static func binomialMass(_ x: Double, of n: Double, _ chance: Double, _ rest: Double) -> Double {
    let exponent =
      stirlingError(n) - stirlingError(x) - stirlingError(n - x)
      - deviance(x, n * chance) - deviance(n - x, n * rest)
    return exp(exponent) * (n / (2 * Double.pi * x * (n - x))).squareRoot()
  }

  /// What Stirling's formula leaves of log Γ(n + 1).
  private static func stirlingError(_ n: Double) -> Double {
    if n < 16 {
      return logGamma(n + 1) - (n + 0.5) * log(n) + n - 0.5 * log(2 * Double.pi)
    }
    let square = n * n
    let tail = 1.0 / 1260 - (1.0 / 1680 - (1.0 / 1188) / square) / square
    return (1.0 / 12 - (1.0 / 360 - tail / square) / square) / n
  }

  /// `x log(x ÷ mean) + mean − x`, without the loss when the two are near.
  private static func deviance(_ x: Double, _ mean: Double) -> Double {
    guard abs(x - mean) < 0.1 * (x + mean) else { return x * log(x / mean) + mean - x }
    let ratio = (x - mean) / (x + mean)
    var sum = (x - mean) * ratio
    var term = 2 * x * ratio
    let square = ratio * ratio
    var divisor = 1.0
    while true {
      term *= square
      divisor += 2
      let next = sum + term / divisor
      if next == sum { return sum }
      sum = next
    }
  }

  private static func logGamma(_ x: Double) -> Double {
    var sign: Int32 = 0
    return lgamma_r(x, &sign)
  }
}

/// A continued fraction b₀ + a₁ ÷ (b₁ + a₂ ÷ (b₂ + …)), from the front (Lentz, in Thompson and Barnett's form).
private struct Lentz {
  private static let tiny = 1e-300
  private(set) var value: Double
  private var numerator: Double
  private var denominator = 0.0
  private var change = 2.0

  init(_ first: Double) {
    value = first == 0 ? Lentz.tiny : first
    numerator = value
  }

  /// False when the last step changed nothing that a double can show.
  var moves: Bool { abs(change - 1) > 2e-16 }

  mutating func step(_ a: Double, _ b: Double) {
    denominator = b + a * denominator
    if denominator == 0 { denominator = Lentz.tiny }
    denominator = 1 / denominator
    numerator = b + a / numerator
    if numerator == 0 { numerator = Lentz.tiny }
    change = numerator * denominator
    value *= change
  }
}
