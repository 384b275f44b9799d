import Core
import TestSupport
import Testing

@testable import Measure

@Suite struct DriftPolicyTests {
  private func signals(_ lines: [String]) throws -> DriftSignals {
    var signals = DriftSignals()
    for line in lines {
      try Array(line.utf8).withBytes { (bytes) throws(BadRecord) in
        try signals.add(bytes, padding: 0)
      }
    }
    return signals
  }

  private func holds(_ condition: String, _ values: [String: Double]) throws -> Bool? {
    try DriftPolicy(try ConfigNode.member("{ p: { if: '\(condition)' } }"), models: []).holds(
      values)
  }

  @Test func verdictsBecomeSignals() throws {
    let found = try signals([
      #"{"kind":"verdict","clause":"drift(a)","column":"a","psi":0.3,"value":0.2,"missing":0.5,"reference_missing":0.1}"#,
      #"{"kind":"verdict","clause":"drift(b)","column":"b","psi":0.1,"ks":0.4}"#,
      #"{"kind":"verdict","clause":"drift","drifted":1,"watched":0,"columns":2,"n":50,"reference_n":60}"#,
      #"{"kind":"verdict","clause":"auc_drop","value":0.03}"#,
    ])
    #expect(
      found.values == [
        "worst_psi": 0.3, "worst_value": 0.2, "worst_ks": 0.4, "missing_growth": 0.4, "drifted": 1,
        "watched": 0, "columns": 2, "n": 50, "reference_n": 60, "drift_share": 0.5,
        "auc_drop": 0.03,
      ])
    #expect(throws: BadRecord.self) { try signals([#"{"kind":"sample"}"#]) }
  }

  @Test func whatWasNotMeasuredIsNeverANo() throws {
    #expect(try holds("worst_psi > 0.25 || auc_drop > 0.02", ["worst_psi": 0.3]) == true)
    #expect(try holds("worst_psi > 0.25 || auc_drop > 0.02", ["worst_psi": 0.1]) == nil)
    #expect(
      try holds("worst_psi > 0.25 || auc_drop > 0.02", ["worst_psi": 0.1, "auc_drop": 0]) == false)
  }

  @Test func aWrongPolicyNamesItsPlace() {
    for (text, said) in [
      ("{ p: { if: 'worst_psi + 1' } }", "drift.p.if"),
      ("{ p: { iff: 'true' } }", "unknown key 'iff'"),
      ("{ p: { model: 'lat', if: 'drifted > 0' } }", "no model 'lat' is declared"),
      ("{ p: {} }", "'if' is missing"), ("{ p: { if: 'drifted > 0', cooldown: 'x' } }", "duration"),
    ] {
      let found = message { () throws(Failure) in
        let node = try JSON5Parser.parse(Array("{ drift: \(text) }".utf8), file: "t.json")
        _ = try DriftPolicy(try node.required("drift").members()[0], models: ["late"])
      }
      #expect(found.contains(said), "\(found)")
    }
  }
}
