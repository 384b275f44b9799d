// The test of E. Page (1954) and D. Hinkley: the sum of distances from the running mean, less a slack, against its least
// value so far; upward and downward. The threshold is in units of the values.

import Core

struct PageHinkley: ChangeDetector {
  private static let warmUp = 30.0

  private let slack: Double
  private let threshold: Double
  private let forgetting: Double
  private var moments = Moments2()
  private var up = 0.0
  private var down = 0.0
  private var least = Double.infinity
  private var greatest = -1.0
  private var sinceLeast = 0
  private var sinceGreatest = 0
  private(set) var delay: Int?

  init(slack: Double = 0.005, threshold: Double = 50, forgetting: Double = 0.9999) {
    self.slack = slack
    self.threshold = threshold
    self.forgetting = forgetting
  }

  mutating func add(_ value: Double) -> Change {
    moments.add(value)
    let distance = value - moments.mean
    up = forgetting * up + distance - slack
    down = forgetting * down + distance + slack
    sinceLeast += 1
    sinceGreatest += 1
    if up < least {
      least = up
      sinceLeast = 0
    }
    if down > greatest {
      greatest = down
      sinceGreatest = 0
    }
    guard moments.count >= PageHinkley.warmUp else { return .none }
    let isUp = up - least > threshold
    guard isUp || greatest - down > threshold else { return .none }
    let found = isUp ? sinceLeast : sinceGreatest
    self = PageHinkley(slack: slack, threshold: threshold, forgetting: forgetting)
    delay = found
    return .change
  }
}
