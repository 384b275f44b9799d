import Core
import Foundation
import Testing

@Suite struct DoubleTextTests {
  @Test(
    arguments: [
      (0.0, "0"), (-0.0, "0"), (5, "5"), (-3, "-3"), (0.5, "0.5"), (99.9, "99.9"),
      (1e18, "1000000000000000000"),
      (1e19, "1e+19"),
    ])
  func plainNumbersHaveNoEmptyDecimals(_ value: Double, _ expected: String) {
    #expect(value.plain == expected)
  }

  @Test(
    arguments: [
      (0, 0, "0"), (0, 2, "0.00"), (1.005, 1, "1.0"), (0.05, 1, "0.1"), (9.999, 2, "10.00"),
      (-0.001, 2, "0.00"),
      (-1.5, 0, "-2"), (2.5, 0, "3"), (123.456, 2, "123.46"), (0.007, 3, "0.007"),
      (-12.03, 1, "-12.0"),
    ])
  func fixedDecimalsAreRoundedHalfUp(_ value: Double, _ decimals: Int, _ expected: String) {
    #expect(value.fixed(decimals) == expected)
  }

  @Test func fixedAgreesWithPrintfAwayFromTies() {
    for step in 0..<2_000 {
      let value = Double(step) * 0.7310585 - 700
      #expect(value.fixed(3) == String(format: "%.3f", value))
    }
  }
}
