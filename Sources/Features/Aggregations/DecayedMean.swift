// The exponentially weighted moving average by time: the mean of the values, each with the weight 2^(-age / half_life).
// A value that is one half-life older counts half as much, however many lie between. The age of all grows
// alike, so the mean does not depend on the moment of the question. State: 40 bytes, a weighted sum and the
// sum of weights as of the latest value. Error: rounding, and grouping changes the last digits only. Null of
// nothing.

import Core
import Glibc

struct HalfLife: Sendable {
  let microseconds: Double

  init(_ node: ConfigNode) throws(Failure) {
    let span = try node.required("half_life").span(atLeast: TimeSpan(microseconds: 1))
    microseconds = Double(span.microseconds)
  }
}

struct DecayedMean: Aggregation {
  private let halfLife: HalfLife
  /// The weights are as of this time.
  private var latest = Timestamp.distantPast
  private var sum = 0.0
  private var weight = 0.0

  init(_ halfLife: HalfLife) { self.halfLife = halfLife }

  mutating func add(_ cell: Cell, at time: Timestamp) {
    guard let value = cell.number else { return }
    add(value, 1, at: time)
  }

  mutating func merge(_ later: DecayedMean) {
    guard later.weight > 0 else { return }
    add(later.sum, later.weight, at: later.latest)
  }

  /// What comes late, behind rows that are folded for good, has aged already.
  private mutating func add(_ value: Double, _ weight: Double, at time: Timestamp) {
    if self.weight > 0, time < latest {
      let factor = factor(from: time, to: latest)
      sum += value * factor
      self.weight += weight * factor
      return
    }
    if self.weight > 0 {
      let factor = factor(from: latest, to: time)
      sum *= factor
      self.weight *= factor
    }
    sum += value
    self.weight += weight
    latest = time
  }

  private func factor(from earlier: Timestamp, to later: Timestamp) -> Double {
    exp2((Double(earlier.microseconds) - Double(later.microseconds)) / halfLife.microseconds)
  }

  func result(_: Question) -> Cell { weight > 0 ? Cell(finite: sum / weight) : .null }
}

extension DecayedMean {
  func write(to bytes: inout StateWriter) {
    bytes.write(latest)
    bytes.write(sum)
    bytes.write(weight)
  }

  init(_ halfLife: HalfLife, from bytes: inout StateReader) {
    self.init(halfLife)
    latest = bytes.read()
    sum = bytes.read()
    weight = bytes.read()
  }
}
