// What `score --importance` shows on a terminal.

import Core
import Models
import TestSupport
import Testing

@testable import rtinfer

@Suite struct ImportanceTableTests {
  private func table(_ place: String) throws -> String {
    let model = try Fixtures.bytes("models/\(place)").withBytes { (bytes) throws(Failure) in
      try ModelLoader.load(bytes, source: place)
    }
    return ScoreImportance.table(
      try model.importance(source: place), title: "m", model.inputNames)
  }

  @Test func columnsAreAsWideAsTheyNeed() throws {
    #expect(
      try table("xgboost-json/names/model.json") == """
        m
          input                          weight     gain     cover  total_gain  total_cover
          delay                              11  48.2368  142.9091    530.6049    1572.0000
          größe                               7  29.9878  149.1429    209.9146    1044.0000
          two words                          10  10.9918   98.4000    109.9180     984.0000
          origin_traffic__mean_delay_1h       0   0.0000    0.0000      0.0000       0.0000

        """)
    #expect(
      try table("lightgbm/data-frame/model.txt") == """
        m
          input     split      gain
          delay        16  653.7162
          carrier       6  533.7688
          gate          5  220.5522
          distance      9  189.5128

        """)
  }
}
