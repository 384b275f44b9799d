// Points and weights with which a sum is the integral over 0 … 1 of any polynomial of degree below
// twice their number: the roots of the Legendre polynomial, moved from -1 … 1.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct GaussLegendre {
  /// Rising, in 0 … 1.
  let points: [Double]
  /// Their sum is 1.
  let weights: [Double]

  /// - Complexity: O(count²).
  init(_ count: Int) {
    precondition(count > 0, "at least one point")
    var points = [Double](repeating: 0.5, count: count)
    var weights = [Double](repeating: 1, count: count)
    for index in 0..<count {
      // Newton's method from Tricomi's guess: three or four steps.
      var x = -cos(Double.pi * (Double(index) + 0.75) / (Double(count) + 0.5))
      var slope = 0.0
      for _ in 0..<100 {
        let (value, derivative) = Self.legendre(count, x)
        slope = derivative
        let step = value / derivative
        x -= step
        if abs(step) < 1e-16 { break }
      }
      slope = Self.legendre(count, x).derivative
      points[index] = (1 + x) / 2
      weights[index] = 1 / ((1 - x * x) * slope * slope)
    }
    self.points = points
    self.weights = weights
  }

  private static func legendre(_ degree: Int, _ x: Double) -> (value: Double, derivative: Double) {
    var (before, value) = (1.0, x)
    for n in 1..<max(degree, 1) {
      let next = (Double(2 * n + 1) * x * value - Double(n) * before) / Double(n + 1)
      (before, value) = (value, next)
    }
    return (value, Double(degree) * (x * value - before) / (x * x - 1))
  }
}
