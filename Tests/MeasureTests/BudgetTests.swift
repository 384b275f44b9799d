import Core
import Measure
import TestSupport
import Testing

@Suite struct BudgetTests {
  private func budget(_ text: String) throws(Failure) -> Budget {
    try Budget(try ConfigNode.member("{ online: \(text) }"))
  }

  @Test func readsADeclaration() throws {
    let budget = try budget(
      "{ total: { p99.9: '50ms' }, layers: { features: '10ms', inference: '5ms' }, buffer: '35ms' }"
    )
    #expect(budget.name == "online" && budget.percentile == 99.9)
    #expect(budget.total.description == "50ms" && budget.buffer.description == "35ms")
    #expect(budget.layers.keys.map(\.rawValue).sorted() == ["features", "inference"])
    #expect(budget.layers[.inference]?.description == "5ms")
    #expect(try self.budget("{ total: { p50: '1s' } }").layers.isEmpty)
  }

  @Test(
    arguments: [
      ("{}", "online: the key 'total' is missing"),
      ("{ total: '50ms' }", "online.total: expected an object, found a string"),
      ("{ total: {} }", "online.total: names one percentile"),
      ("{ total: { p99: '1s', p50: '1s' } }", "online.total: names one percentile"),
      ("{ total: { 99: '1s' } }", "expected a key"),
      ("{ total: { x99: '1s' } }", "online.total: names one percentile"),
      ("{ total: { p0: '1s' } }", "online.total: names one percentile"),
      ("{ total: { p100: '1s' } }", "online.total: names one percentile"),
      ("{ total: { pnan: '1s' } }", "online.total: names one percentile"),
      ("{ total: { p99: '0s' } }", "online.total.p99: 0s is below the minimum 1us"),
      (
        "{ total: { p99: '1s' }, layers: { inferense: '1ms' } }",
        "online.layers.inferense: unknown key 'inferense'"
      ),
      (
        "{ total: { p99: '10ms' }, layers: { features: '6ms' }, buffer: '5ms' }",
        "online: the layers and the buffer add up to 11ms, more than the total 10ms"
      ),
      ("{ total: { p99: '10ms' }, buffr: '5ms' }", "online.buffr: unknown key 'buffr'"),
      (
        "{ total: { p99: '1s' }, layers: { request: '11000000d', features: '11000000d', inference: '11000000d', postprocess: '11000000d', response: '11000000d' }, buffer: '11000000d' }",
        "online: the layers and the buffer add up to 66000000d, more than the total 1s"
      ),
    ])
  func refusesWrongDeclarations(_ text: String, _ expected: String) {
    let found = message { () throws(Failure) in _ = try budget(text) }
    #expect(found.hasPrefix("test.json:1: \(expected)"), "\(found)")
  }

  @Test func aBudgetMayBeSpentToTheLast() throws {
    let exact = try budget("{ total: { p99: '11ms' }, layers: { features: '6ms' }, buffer: '5ms' }")
    #expect(exact.total.microseconds == 11_000)
  }
}
