import Measure
import Testing

@Suite struct DecisionCostTests {
  private func inputs() -> DecisionCost.Inputs {
    var inputs = DecisionCost.Inputs()
    inputs.rate = 100...100
    inputs.replicas = 3...3
    inputs.hourly = 0.5...0.5
    inputs.storageGigabytes = 200...200
    inputs.storagePrice = 0.1...0.1
    inputs.people = 0.5...0.5
    inputs.salary = 100_000...100_000
    inputs.building = 60_000...60_000
    inputs.years = 3
    return inputs
  }

  @Test func aYearAddsUp() {
    let cost = DecisionCost(inputs())
    #expect(cost.decisionsPerYear == 3_153_600_000...3_153_600_000)
    #expect(cost.machines == 13_140...13_140 && cost.storage == 240...240)
    #expect(cost.people == 50_000...50_000 && cost.running == 63_380...63_380)
    #expect(cost.ownership == 83_380...83_380)
    #expect(abs(cost.perThousand.lowerBound - 83_380 / 3_153_600.0) < 1e-12)
    #expect(cost.value == nil && cost.net == nil && cost.answer == nil && cost.payback == nil)
  }

  @Test func whatComesBack() throws {
    var inputs = inputs()
    inputs.value = 0.05...0.05
    let cost = DecisionCost(inputs)
    #expect(abs(cost.value!.lowerBound - 157_680) < 1e-6)
    #expect(abs(cost.net!.lowerBound - 74_300) < 1e-6 && cost.answer == .pass)
    #expect(abs(cost.returnOnCost!.upperBound - 74_300 / 83_380.0) < 1e-12)
    let payback = try #require(cost.payback)
    #expect(abs(payback.low! - 60_000 / 94_300.0 * 12) < 1e-9 && payback.low == payback.high)
    // At that rate value and cost are the same.
    let even = try #require(cost.evenRate)
    inputs.rate = even.low...even.low
    #expect(abs(DecisionCost(inputs).net!.lowerBound) < 1e-6)
  }

  @Test func aRangeThatHoldsZeroSaysNothing() throws {
    var inputs = inputs()
    inputs.value = 0.01...0.05
    let cost = DecisionCost(inputs)
    #expect(cost.answer == .inconclusive)
    let payback = try #require(cost.payback)
    #expect(payback.low != nil && payback.high == nil)
    inputs.value = 0.001...0.002
    #expect(DecisionCost(inputs).answer == .fail && DecisionCost(inputs).payback?.low == nil)
    inputs.value = -0.02 ... -0.01
    #expect(DecisionCost(inputs).evenRate == nil && DecisionCost(inputs).answer == .fail)
  }

  /// Whatever the inputs are within their ranges, the answer lies within its range.
  @Test func rangesHoldEveryChoiceWithinThem() {
    var wide = inputs()
    wide.rate = 50...150
    wide.replicas = 2...4
    wide.hourly = 0.3...0.6
    wide.people = 0.1...1
    wide.building = 10_000...90_000
    wide.value = -0.01...0.09
    let whole = DecisionCost(wide)
    for choice in 0..<64 {
      func pick(_ range: DecisionCost.Range, _ bit: Int) -> DecisionCost.Range {
        let end = choice >> bit & 1 == 0 ? range.lowerBound : range.upperBound
        return end...end
      }
      var one = wide
      one.rate = pick(wide.rate, 0)
      one.replicas = pick(wide.replicas, 1)
      one.hourly = pick(wide.hourly, 2)
      one.people = pick(wide.people, 3)
      one.building = pick(wide.building, 4)
      one.value = pick(wide.value!, 5)
      let cost = DecisionCost(one)
      let pairs: [(DecisionCost.Range?, DecisionCost.Range?)] = [
        (whole.ownership, cost.ownership), (whole.perThousand, cost.perThousand),
        (whole.value, cost.value), (whole.net, cost.net), (whole.returnOnCost, cost.returnOnCost),
      ]
      for (range, single) in pairs {
        #expect(range!.lowerBound <= single!.lowerBound + 1e-9)
        #expect(range!.upperBound >= single!.upperBound - 1e-9)
      }
    }
  }
}
