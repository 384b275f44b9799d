// What decisions cost in a year and what comes back, from stated inputs. Every input is a range, and so is every answer:
// the lower end of a cost is that of all its parts at their lowest, the lower end of what is left takes the lowest value
// and the highest cost. A range that holds zero says that nobody knows yet.
//
//     a year:   machines + storage + people + building ÷ years   =  cost of ownership
//               value of a thousand decisions × thousands        =  value
//     return =  (value − cost) ÷ cost        pay-back = building ÷ (value − running cost)

public struct DecisionCost: Sendable {
  public typealias Range = ClosedRange<Double>

  /// Money is in whatever unit it was stated in, the same for all.
  public struct Inputs: Sendable {
    /// Decisions a second, averaged over the year.
    public var rate: Range = 1...1
    public var replicas: Range = 1...1
    /// Of one replica for an hour.
    public var hourly: Range = 0...0
    public var storageGigabytes: Range = 0...0
    /// Of a gigabyte for a month.
    public var storagePrice: Range = 0...0
    /// Who keeps it running, in full-time people, and what one costs a year.
    public var people: Range = 0...0
    public var salary: Range = 0...0
    /// Once, before the first decision.
    public var building: Range = 0...0
    /// Over which building is spread.
    public var years = 3.0
    /// Of a thousand decisions, beyond what they are worth without it; nil: not stated.
    public var value: Range?

    public init() {}
  }

  public let inputs: Inputs

  public init(_ inputs: Inputs) { self.inputs = inputs }

  private static let secondsPerYear = 365 * 86_400.0
  private static let hoursPerYear = 8_760.0

  // MARK: Costs

  public var decisionsPerYear: Range { scaled(inputs.rate, DecisionCost.secondsPerYear) }
  public var machines: Range {
    scaled(product(inputs.replicas, inputs.hourly), DecisionCost.hoursPerYear)
  }
  public var storage: Range { scaled(product(inputs.storageGigabytes, inputs.storagePrice), 12) }
  public var people: Range { product(inputs.people, inputs.salary) }
  /// Of a year, without building.
  public var running: Range { sum(sum(machines, storage), people) }
  /// Of a year, with its part of building.
  public var ownership: Range { sum(running, scaled(inputs.building, 1 / inputs.years)) }
  public var perThousand: Range {
    let (cost, decisions) = (ownership, decisionsPerYear)
    let low = cost.lowerBound / decisions.upperBound * 1e3
    let high = cost.upperBound / decisions.lowerBound * 1e3
    return low...high
  }

  // MARK: What comes back

  /// Of a year.
  public var value: Range? {
    inputs.value.map { value in
      // A loss is largest where most is decided.
      let all = [value.lowerBound, value.upperBound].flatMap { value in
        [decisionsPerYear.lowerBound, decisionsPerYear.upperBound].map { value * $0 / 1e3 }
      }
      return all.min()!...all.max()!
    }
  }
  /// Value less cost, of a year.
  public var net: Range? {
    value.map {
      $0.lowerBound - ownership.upperBound...$0.upperBound - ownership.lowerBound
    }
  }
  /// What is left by what was spent: 0 is even, 1 is twice the money. Nil where nothing is spent.
  public var returnOnCost: Range? {
    guard let value, ownership.lowerBound > 0 else { return nil }
    // Of the same cost both times, or a high value could be held against two different costs.
    let all = [value.lowerBound, value.upperBound].flatMap { value in
      [ownership.lowerBound, ownership.upperBound].map { value / $0 - 1 }
    }
    return all.min()!...all.max()!
  }
  /// Months until building has come back; a nil end: never.
  public var payback: (low: Double?, high: Double?)? {
    guard let value else { return nil }
    func months(_ building: Double, _ yearly: Double) -> Double? {
      yearly > 0 ? building / yearly * 12 : nil
    }
    return (
      months(inputs.building.lowerBound, value.upperBound - running.lowerBound),
      months(inputs.building.upperBound, value.lowerBound - running.upperBound)
    )
  }
  /// Decisions a second from which on value and cost are even, if the cost stays as it is; nil where there is no such rate.
  public var evenRate: (low: Double, high: Double?)? {
    guard let value = inputs.value, value.upperBound > 0 else { return nil }
    func rate(_ cost: Double, _ value: Double) -> Double {
      cost / (value / 1e3) / DecisionCost.secondsPerYear
    }
    return (
      rate(ownership.lowerBound, value.upperBound),
      value.lowerBound > 0 ? rate(ownership.upperBound, value.lowerBound) : nil
    )
  }

  public var answer: Verdict.Answer? {
    net.map { $0.lowerBound > 0 ? .pass : $0.upperBound <= 0 ? .fail : .inconclusive }
  }

  // MARK: Ranges of what is not negative

  private func sum(_ one: Range, _ other: Range) -> Range {
    one.lowerBound + other.lowerBound...one.upperBound + other.upperBound
  }

  private func product(_ one: Range, _ other: Range) -> Range {
    one.lowerBound * other.lowerBound...one.upperBound * other.upperBound
  }

  private func scaled(_ range: Range, _ factor: Double) -> Range {
    range.lowerBound * factor...range.upperBound * factor
  }
}
