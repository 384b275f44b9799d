// Two detectors of a model's errors (1) among its right answers (0): DDM looks at their share, EDDM at the distances
// between them.

import Core

/// The drift detection method (J. Gama and others, 2004): the share of errors with its deviation against its least.
struct DDM: ChangeDetector {
  private static let warmUp = 30.0
  private var count = 0.0
  private var mean = 0.0
  private var least = Double.infinity
  private var leastMean = 0.0
  private var leastDeviation = 0.0
  private var sinceWarning = 0
  private var isWarned = false
  private(set) var delay: Int?

  mutating func add(_ value: Double) -> Change {
    count += 1
    mean += (value - mean) / count
    guard count > DDM.warmUp else { return .none }
    let deviation = max(0, mean * (1 - mean) / count).squareRoot()
    if mean + deviation <= least {
      least = mean + deviation
      (leastMean, leastDeviation) = (mean, deviation)
    }
    sinceWarning += 1
    if mean + deviation > leastMean + 3 * leastDeviation {
      let found = isWarned ? sinceWarning : 0
      self = DDM()
      delay = found
      return .change
    }
    let isWarning = mean + deviation > leastMean + 2 * leastDeviation
    if isWarning, !isWarned { sinceWarning = 0 }
    isWarned = isWarning
    return isWarning ? .warning : .none
  }
}

/// The early drift detection method (M. Baena-García and others, 2006): the mean distance between errors plus twice its
/// deviation against its greatest.
struct EDDM: ChangeDetector {
  private static let warmUp = 30
  private static let warnAt = 0.95
  private static let changeAt = 0.9
  private var count = 0
  private var errors = 0
  private var lastError = 0
  private var distances = Moments2()
  private var greatest = -1.0
  private var isWarned = false
  private var warnedAt = 0
  private(set) var delay: Int?

  mutating func add(_ value: Double) -> Change {
    count += 1
    guard value == 1 else { return isWarned ? .warning : .none }
    errors += 1
    distances.add(Double(count - lastError))
    lastError = count
    guard count > EDDM.warmUp else { return .none }
    let level = distances.mean + 2 * (distances.variance ?? 0).squareRoot()
    if level > greatest {
      greatest = level
    } else if errors > EDDM.warmUp {
      if level / greatest < EDDM.changeAt {
        let found = isWarned ? count - warnedAt : 0
        self = EDDM()
        delay = found
        return .change
      }
      let isWarning = level / greatest < EDDM.warnAt
      if isWarning, !isWarned { warnedAt = count }
      isWarned = isWarning
    }
    return isWarned ? .warning : .none
  }
}
