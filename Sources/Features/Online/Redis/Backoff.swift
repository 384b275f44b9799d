// How long to wait before trying again: twice as long each time up to a bound, and by chance up to half of it less, so
// that many who lost the same server do not come back all at once.

import Core

struct Backoff {
  let first: TimeSpan
  let most: TimeSpan
  private(set) var failures = 0

  init(first: TimeSpan, most: TimeSpan) {
    self.first = first
    self.most = most
  }

  /// Notes a failure.
  ///
  /// - Returns: nanoseconds to wait.
  mutating func next(_ random: inout SplitMix64) -> UInt64 {
    var span = first.microseconds
    for _ in 0..<min(failures, 32) where span < most.microseconds { span *= 2 }
    failures += 1
    let whole = UInt64(min(span, most.microseconds)) * 1_000
    return whole - UInt64.random(in: 0...whole / 2, using: &random)
  }

  mutating func reset() { failures = 0 }
}
