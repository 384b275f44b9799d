// Categories over the borrowed protocols: whatever form a row comes in, it has the score of its objects, and so that of
// `/decide`. And requests without any row, which every protocol answers.

import Core
import Decisions
import Foundation
import TestSupport
import Testing

@testable import HTTP
@testable import Service

@Suite struct CategoryProtocolTests {
  private static let names = ["delay", "carrier", "distance", "gate"]
  /// As they stand in JSON: words, words with escapes, numbers that are categories, codes and what is missing.
  private static let rows = [
    ["-0.5", "\"AA\"", "1", "12"], ["1.75", "\"\"", "0.5", "30"],
    ["null", "\"D\\u004c\"", "0.125", "7"],
    ["-2", "3", "null", "12"], ["0.25", "null", "1", "null"], ["1", "\"unseen\"", "-1", "8"],
  ]

  private static func list(_ parts: [String]) -> String { "[\(parts.joined(separator: ","))]" }
  private static func column(_ index: Int) -> String { list(rows.map { $0[index] }) }
  private static let arrays = list(rows.map(list))
  private static let objects = list(
    rows.map { row in
      "{\(zip(names, row).map { "\"\($0)\":\($1)" }.joined(separator: ","))}"
    })
  private static let columns =
    "{\(names.indices.map { "\"\(names[$0])\":\(column($0))" }.joined(separator: ","))}"
  private static let split =
    #"{"columns":["delay","c\u0061rrier","distance","gate"],"data":\#(arrays)}"#

  private func service(_ text: String = "") throws -> TestService {
    TestService([try Serving.served("m", "data-frame", text)])
  }

  private func decided(_ test: TestService) throws -> [Double] {
    try Self.rows.map { row in
      let members = zip(Self.names, row).map { "\"\($0)\":\($1)" }.joined(separator: ",")
      return try #require(
        test.ask("POST /decide/m", "{\(members)}").object["score"] as? Double)
    }
  }

  @Test(arguments: ["", "defaults: { carrier: 1, gate: 30, delay: 0.5 }"])
  func everyFormOfARowHasItsScore(_ text: String) throws {
    let test = try service(text)
    let expected = try decided(test)
    #expect(Set(expected).count > 3)
    for (body, member) in [
      ("{\"instances\":\(Self.arrays)}", "predictions"),
      ("{\"instances\":\(Self.objects)}", "predictions"),
      ("{\"inputs\":\(Self.columns)}", "outputs"),
    ] {
      let reply = test.ask("POST /v1/models/m:predict", body)
      #expect(reply.object[member] as? [Double] == expected, "\(body): \(reply.body)")
    }
    for body in ["{\"dataframe_split\":\(Self.split)}", "{\"dataframe_records\":\(Self.objects)}"] {
      let reply = test.ask("POST /invocations", body)
      #expect(reply.object["predictions"] as? [Double] == expected, "\(body): \(reply.body)")
    }
  }

  private func infer(_ test: TestService, _ inputs: [String]) -> TestReply {
    test.ask("POST /v2/models/m/infer", "{\"inputs\":\(Self.list(inputs))}")
  }

  private func scores(_ reply: TestReply) -> [Double]? {
    ((reply.object["outputs"] as? [[String: Any]])?.first)?["data"] as? [Double]
  }

  @Test func tensorsAreLookedUpToo() throws {
    let test = try service()
    let expected = try decided(test)
    let types = ["FP64", "BYTES", "FP32", "INT64"]
    // Words only: a code among them would be a number.
    let carriers = Self.column(1).replacing(",3,", with: ",null,")
    let tensors = Self.names.indices.map { index in
      "{\"name\":\"\(Self.names[index])\",\"shape\":[6,1],\"datatype\":\"\(types[index])\","
        + "\"data\":\(index == 1 ? carriers : Self.column(index))}"
    }
    let got = try #require(scores(infer(test, tensors)))
    #expect([0, 1, 2, 4, 5].allSatisfy { got[$0] == expected[$0] }, "\(got), not \(expected)")
    let matrix =
      "{\"name\":\"x\",\"shape\":[1,4],\"datatype\":\"FP64\",\"data\":[-2,3,null,12]}"
    #expect(scores(infer(test, [matrix])) == [expected[3]])
  }

  @Test func bytesBehindTheJSONAreTexts() throws {
    let test = try service()
    let expected = try decided(test)
    let words = ["AA", ""].flatMap { word in
      withUnsafeBytes(of: UInt32(word.utf8.count).littleEndian) { Array($0) } + Array(word.utf8)
    }
    func ask(_ words: [UInt8]) -> TestReply {
      let head = Array(
        ("{\"inputs\":[{\"name\":\"carrier\",\"shape\":[2],\"datatype\":\"BYTES\",\"parameters\":"
          + "{\"binary_data_size\":\(words.count)}},{\"name\":\"gate\",\"shape\":[2],"
          + "\"datatype\":\"INT8\",\"data\":[12,30]},{\"name\":\"delay\",\"shape\":[2],\"datatype\":"
          + "\"FP64\",\"data\":[-0.5,1.75]},{\"name\":\"distance\",\"shape\":[2],\"datatype\":\"FP64\","
          + "\"data\":[1,0.5]}]}").utf8)
      return test.ask(
        "POST /v2/models/m/infer", fields: ["Inference-Header-Content-Length: \(head.count)"],
        body: head + words)
    }
    #expect(scores(ask(words)) == Array(expected[0..<2]))
    #expect(ask(Array(words.dropLast())).error == "input 'carrier': its BYTES end within a value")
    #expect(ask([1, 0, 0]).error == "input 'carrier': its BYTES end within a value")
  }

  @Test func whatIsNoCategoryIsRefused() throws {
    let test = try service()
    let reply = test.ask("POST /v1/models/m:predict", #"{"instances":[["x","AA",1,12]]}"#)
    #expect(reply.status == 400 && reply.error == "row 0: a string where a number is due")
    for (data, type, part) in [
      ("[\"AA\",1]", "BYTES", "data holds strings and numbers"),
      ("[1,2]", "BYTES", "input 'carrier': BYTES without strings"),
      ("[\"AA\",\"DL\"]", "FP32", "input 'carrier': a string where FP32 is due"),
      ("[\"AA\"]", "BYTES", "input 'carrier': 1 values, its shape holds 2"),
    ] {
      let tensor = { (name: String) in
        "{\"name\":\"\(name)\",\"shape\":[2],\"datatype\":\"\(type)\",\"data\":\(data)}"
      }
      #expect(infer(test, [tensor("carrier"), tensor("gate")]).error.hasPrefix(part))
    }
    let twice = "{\"name\":\"gate\",\"shape\":[1],\"datatype\":\"INT8\",\"data\":[12]}"
    let refused = infer(test, [twice, twice])
    #expect(refused.status == 400 && refused.error == "two inputs are called 'gate'")
  }

  // MARK: No rows

  @Test(arguments: [
    ("/v1/models/m:predict", "", "{\"instances\":[]}", "{\"predictions\":[]}"),
    ("/v1/models/m:predict", "", "{\"inputs\":{\"delay\":[]}}", "{\"outputs\":[]}"),
    (
      "/invocations", "", "{\"dataframe_split\":{\"columns\":[\"delay\"],\"data\":[]}}",
      "{\"predictions\":[]}"
    ),
    ("/invocations", "", "{\"dataframe_records\":[]}", "{\"predictions\":[]}"),
    ("/invocations", "text/csv", "delay,gate\n", "{\"predictions\":[]}"),
    (
      "/v2/models/m/infer", "",
      "{\"inputs\":[{\"name\":\"x\",\"shape\":[0,4],\"datatype\":\"FP32\",\"data\":[]}]}",
      "{\"model_name\":\"m\",\"model_version\":\"1\",\"outputs\":[{\"name\":\"score\",\"datatype\":\"FP32\","
        + "\"shape\":[0,1],\"data\":[]}]}"
    ),
  ])
  func aRequestWithoutRowsIsAnsweredAtOnce(
    _ path: String, _ type: String, _ body: String, _ expected: String
  ) throws {
    let test = try service()
    let connection = test.connect()
    let field = type.isEmpty ? "" : "Content-Type: \(type)\r\n"
    test.send(
      "POST \(path) HTTP/1.1\r\nHost: a\r\n\(field)Content-Length: \(body.utf8.count)\r\n\r\n\(body)",
      on: connection)
    // No turn has ended.
    let reply = test.receive(connection)
    #expect(reply.status == 200 && reply.body == expected)
    #expect(try decided(test).count == Self.rows.count, "those who come later are answered, too")
    #expect(test.meters.total().models[0].counts.rows == Self.rows.count)
  }
}
