// What `registry list` and `registry diff` show on a terminal.

import Core
import Models
import TestSupport
import Testing

@testable import rtinfer

@Suite struct RegistryTableTests {
  private func state() throws -> RegistryState {
    let (disk, clock) = (SimulatedFileSystem(), ManualClock(Timestamp("2013-01-05T06:07:08Z")))
    let writer = try RegistryWriter(RegistryFolder("registry", files: disk), clock: clock)
    for name in ["late", "rebook"] {
      let bytes = try Fixtures.bytes("models/xgboost-json/gblinear/model.json")
      let loaded = try bytes.withBytes { (bytes) throws(Failure) in
        try ModelLoader.load(bytes, source: name)
      }
      var facts = VersionFacts(by: "ann")
      if name == "late" {
        facts.metrics = [
          "auc": 0.91234567, "auc_low": 0.9, "auc_high": 0.92, "ece": 0.00001, "p99_us": 412.5,
          "rows": 20_000, "zero": 0,
        ]
      }
      _ = try writer.add(
        model: name, contents: bytes, name: "model.json", loaded: loaded, facts: facts)
    }
    for alias in ["production", "canary"] {
      _ = try writer.promote(
        model: "late", version: 1, alias: alias, author: ChangeAuthor(by: "ann"))
    }
    return writer.state
  }

  @Test func theListingIsATable() throws {
    #expect(
      RegistryTable.text(of: try state().models) == """
        model   version  added              by   format         size  aliases            metrics
        late          1  2013-01-05T06:07Z  ann  xgboost-json  440 B  canary production  auc 0.9123, ece 1e-05, p99_us 412.50, rows 20000, and 1 more
        rebook        1  2013-01-05T06:07Z  ann  xgboost-json  440 B

        """)
    #expect(RegistryTable.text(of: [:]) == "no version is registered\n")
  }

  @Test func differencesAreATable() {
    let table = RegistryDiffText.table(
      [
        .init(what: "metrics", name: "auc", from: .number(0.91), to: .number(0.9)),
        .init(what: "metrics", name: "new", from: nil, to: .number(3)),
        .init(what: "speed", name: "p99_us", from: .number(400), to: .number(512.25), machine: "m"),
        .init(
          what: "file", name: "sha256", from: .text(String(repeating: "a", count: 64)),
          to: .text("b")),
      ], "late: from 1 to 2")
    #expect(
      table == """
        late: from 1 to 2
          what     name                                    from      to   change
          metrics  auc                                   0.9100  0.9000  -0.0100
          metrics  new                                        –       3
          speed    p99_us (m)                               400  512.25  +112.25
          file     sha256      aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…       b

        """)
    #expect(
      RegistryDiffText.table([], "late: from 1 to 1") == "late: from 1 to 1: nothing differs\n")
  }
}
