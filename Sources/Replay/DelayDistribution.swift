// How late events come in, by the percentiles that a pipeline's own dashboards show: p50=200ms,p99=3s. The logarithm of the
// delay runs straight from one percentile to the next over the normal score of its share, and goes on so beyond the
// outermost: through two percentiles that is the log-normal distribution. No event is later than ten times the last one.
//
//     log delay │            ╱ p99          each event has a delay of its own, drawn from its type, id and time: every arm
//               │       ╱ p90               sees it come in at the same moment, a history that is read in another order
//               │  ╱ p50                    has the same delays, and who knows the rule can draw them again
//               └──────────────── z

public import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct DelayDistribution: Sendable, Equatable {
  public struct Percentile: Sendable, Equatable {
    /// Within `percents`.
    public let percent: Double
    public let delay: TimeSpan

    public init(_ percent: Double, _ delay: TimeSpan) {
      self.percent = percent
      self.delay = delay
    }
  }

  /// The longest delay that a percentile may have.
  public static let delayMax = TimeSpan.days(30)
  /// Shares whose normal scores can be told apart.
  public static let percents = 0.0001...99.9999
  /// What two percentiles are at least apart.
  public static let percentStep = 0.0001
  /// How much later than the last percentile an event can be.
  static let reach: Int64 = 10

  public let percentiles: [Percentile]
  public let seed: UInt64
  /// By percentile: its normal score, and the logarithm of its delay in microseconds.
  private let points: [Point]

  private struct Point: Sendable, Equatable {
    let score: Double
    let logarithm: Double
  }

  /// - Parameters:
  ///   - percentiles: two at least, each with a greater share than the one before and a delay that is no shorter; delays
  ///     are above zero and no longer than `delayMax`.
  ///   - seed: of the draws.
  public init(_ percentiles: [Percentile], seed: UInt64) {
    precondition(percentiles.count > 1, "a point has no slope")
    precondition(
      zip(percentiles, percentiles.dropFirst()).allSatisfy {
        $0.percent + DelayDistribution.percentStep / 2 < $1.percent && $0.delay <= $1.delay
      } && percentiles.allSatisfy { DelayDistribution.percents.contains($0.percent) }
        && percentiles[0].delay > .zero && percentiles.last!.delay <= DelayDistribution.delayMax,
      "percentiles in their order")
    self.percentiles = percentiles
    self.seed = seed
    points = percentiles.map {
      Point(
        score: NormalDistribution.quantile($0.percent / 100),
        logarithm: log(Double($0.delay.microseconds)))
    }
  }

  /// The latest that any event comes in.
  public var longest: TimeSpan {
    TimeSpan(
      microseconds: percentiles.last!.delay.microseconds * DelayDistribution.reach)
  }

  /// The delay that this share of the events, between 0 and 1, does not exceed.
  public func delay(ofShare share: Double) -> TimeSpan {
    delay(atScore: NormalDistribution.quantile(share))
  }

  /// - Complexity: O(percentiles).
  private func delay(atScore score: Double) -> TimeSpan {
    // The segment that the score lies in; the outermost go on without end.
    let upper = points.dropFirst().dropLast().firstIndex { score < $0.score } ?? points.count - 1
    let (low, high) = (points[upper - 1], points[upper])
    let slope = (high.logarithm - low.logarithm) / (high.score - low.score)
    let delay = exp(low.logarithm + slope * (score - low.score))
    return TimeSpan(
      microseconds: Int64(min(delay, Double(longest.microseconds)).rounded()))
  }

  /// How late an event comes in.
  ///
  /// The bytes `type \n id \n time`, id as it stands in JSON and time in microseconds since 1970, are hashed by FNV-1a,
  /// 64 bits, whose start is exclusive-ored with the seed; the hash is the seed of a SplitMix64, whose first two numbers
  /// give a normal score by Box and Muller.
  public func delay(type: String, id: Bytes, at time: Timestamp) -> TimeSpan {
    var hash = 0xCBF2_9CE4_8422_2325 ^ seed
    func take(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    type.utf8.forEach(take)
    take(UInt8(ascii: "\n"))
    for index in 0..<id.count { take(id[index]) }
    take(UInt8(ascii: "\n"))
    String(time.microseconds).utf8.forEach(take)
    var random = SplitMix64(seed: hash)
    // Above 0 and up to 1; from 0 and below 1.
    let first = Double((random.next() >> 11) + 1) * 0x1p-53
    let second = Double(random.next() >> 11) * 0x1p-53
    return delay(atScore: (-2 * log(first)).squareRoot() * cos(2 * .pi * second))
  }
}

extension DelayDistribution {
  /// Why a text is no distribution.
  public struct Mistake: Error {
    public let message: String
    public let hint: String
  }

  /// As `p50=200ms,p99=3s`.
  public init(_ text: String, seed: UInt64) throws(Mistake) {
    var percentiles: [Percentile] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let next = try DelayDistribution.percentile(String(part))
      if let last = percentiles.last {
        guard last.percent + DelayDistribution.percentStep / 2 < next.percent else {
          throw Mistake(
            message: "'\(part)' stands behind p\(last.percent.plain)",
            hint: "smaller shares first, \(DelayDistribution.percentStep.plain) apart at least")
        }
        guard last.delay <= next.delay else {
          throw Mistake(
            message:
              "'\(part)' is below p\(last.percent.plain), which is \(last.delay.description)",
            hint: "of more events the latest is no earlier")
        }
      }
      percentiles.append(next)
    }
    guard percentiles.count > 1 else {
      throw Mistake(
        message: "'\(text)' is one percentile, and a distribution has two or more",
        hint: "p50=200ms,p99=3s, or one duration for all events")
    }
    self.init(percentiles, seed: seed)
  }

  private static func percentile(_ part: String) throws(Mistake) -> Percentile {
    let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard words.count == 2, words[0].hasPrefix("p"),
      let percent = Double(words[0].dropFirst()), percents.contains(percent)
    else {
      throw Mistake(
        message: "'\(part)' is no percentile from p0.0001 to p99.9999 with its delay",
        hint: "p50=200ms,p99=3s")
    }
    guard let delay = TimeSpan(String(words[1])) else {
      throw Mistake(
        message: "'\(words[1])' is not a duration (\(TimeSpan.expectation))",
        hint: "p50=200ms,p99=3s")
    }
    guard delay > .zero, delay <= delayMax else {
      throw Mistake(
        message: "\(part): a percentile's delay is above 0s and up to \(delayMax.description)",
        hint: "p50=200ms,p99=3s")
    }
    return Percentile(percent, delay)
  }

  /// As it was typed, but for the way in which numbers can be written.
  public var text: String {
    percentiles.map { "p\($0.percent.plain)=\($0.delay.description)" }.joined(separator: ",")
  }
}

extension Double {
  /// 99 and 99.9.
  fileprivate var plain: String { self == rounded() ? String(Int(self)) : String(self) }
}
