// The borrowed protocols: the same rows in every form give the scores of the model itself.

import Core
import Decisions
import Foundation
import Models
import TestSupport
import Testing

@testable import HTTP
@testable import Service

@Suite struct ProtocolTests {
  private static let rows: [[Double?]] = [
    [0.5, -1.25, 2, 0.125], [1.5, nil, -0.75, 3], [nil, nil, nil, nil],
  ]
  private static let names = ["f0", "f1", "f2", "f3"]

  /// What the model's library predicts, row by row.
  private static func scores(_ model: Model) -> [[Double]] {
    rows.map { row in
      let values = row.map { $0 ?? .nan }
      var output = [Double](repeating: 0, count: model.outputCount)
      values.withUnsafeBufferPointer { values in
        output.withUnsafeMutableBufferPointer { output in
          model.margins(values, rowCount: 1, into: output)
          model.transform(output)
        }
      }
      return Array(output.prefix(model.scoreCount))
    }
  }

  private static func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "null" }
  private static let arrays =
    "[" + rows.map { "[\($0.map(text).joined(separator: ","))]" }.joined(separator: ",") + "]"
  private static let objects =
    "["
    + rows.map { row in
      "{\(zip(names, row).map { "\"\($0)\":\(text($1))" }.joined(separator: ","))}"
    }.joined(separator: ",") + "]"
  private static let columns =
    "{"
    + names.indices.map { column in
      "\"\(names[column])\":[\(rows.map { text($0[column]) }.joined(separator: ","))]"
    }.joined(separator: ",") + "}"
  private static let csv =
    "f0,f1,f2,f3\n"
    + rows.map { $0.map { $0.map { "\($0)" } ?? "" }.joined(separator: ",") + "\n" }.joined()

  private func service(_ fixture: String) throws -> (TestService, [[Double]]) {
    let served = try Serving.served("m", fixture)
    return (TestService([served]), Self.scores(served.model))
  }

  private func matches(_ value: Any?, _ scores: [[Double]]) -> Bool {
    guard let list = value as? [Any], list.count == scores.count else { return false }
    return zip(list, scores).allSatisfy { item, expected in
      let got = (item as? [Double]) ?? (item as? Double).map { [$0] } ?? []
      return got.map(Float.init) == expected.map(Float.init)
    }
  }

  @Test(arguments: ["binary-logistic", "softprob", "squarederror"])
  func v1AndMLflowTakeEveryForm(_ fixture: String) throws {
    let (test, scores) = try service(fixture)
    for (body, member) in [
      ("{\"instances\":\(Self.arrays)}", "predictions"),
      ("{\"signature_name\":\"x\",\"instances\":\(Self.objects)}", "predictions"),
      ("{\"inputs\":\(Self.columns)}", "outputs"), ("{\"inputs\":\(Self.arrays)}", "outputs"),
    ] {
      let reply = test.ask("POST /v1/models/m:predict", body)
      #expect(reply.status == 200 && matches(reply.object[member], scores), "\(reply.body)")
      #expect(reply.field("Server-Timing") != nil)
    }
    let split =
      "{\"dataframe_split\":{\"index\":[0,1,2],\"columns\":[\"f0\",\"f1\",\"f2\",\"f3\"],"
      + "\"data\":\(Self.arrays)},\"params\":{\"a\":[1]}}"
    for body in [
      split, "{\"dataframe_records\":\(Self.objects)}", "{\"instances\":\(Self.arrays)}",
      "{\"inputs\":\(Self.columns)}",
    ] {
      let fields = ["Content-Type: application/json; charset=utf-8"]
      let reply = test.ask("POST /invocations", fields: fields, body)
      #expect(reply.status == 200 && matches(reply.object["predictions"], scores), "\(reply.body)")
    }
    let reply = test.ask("POST /invocations", fields: ["Content-Type: text/csv"], Self.csv)
    #expect(matches(reply.object["predictions"], scores))
    #expect(test.ask("POST /invocations?model=m", split).status == 200)
  }

  @Test func v1TellsItsStateToBothFamilies() throws {
    let (test, _) = try service("binary-logistic")
    #expect(test.ask("GET /v1/models").body == "{\"models\":[\"m\"]}")
    for path in ["/v1/models/m", "/v1/models/m/versions/1"] {
      let reply = test.ask("GET \(path)")
      #expect(reply.object["name"] as? String == "m" && reply.object["ready"] as? Bool == true)
      let status = (reply.object["model_version_status"] as? [[String: Any]])?.first
      #expect(status?["version"] as? String == "1" && status?["state"] as? String == "AVAILABLE")
    }
    #expect(test.ask("GET /v1/models/m/versions/2").status == 404)
    #expect(test.ask("GET /ping").body == "\n")
    #expect(test.ask("GET /health").status == 200)
    #expect(test.ask("GET /version").body == "1.2.3")
  }

  private static let refused:
    [(path: String, type: String, body: String, status: Int, part: String)] = [
      ("/v1/models/m:predict", "", "{}", 400, "neither"),
      (
        "/v1/models/m:predict", "", "{\"instances\":[[1,2,3,4]],\"inputs\":[[1,2,3,4]]}", 400,
        "exclude"
      ),
      ("/v1/models/m:predict", "", "{\"instances\":[[1,2]]}", 400, "row 0 has 2 values"),
      ("/v1/models/m:predict", "", "{\"instances\":[[1,2,3,\"x\"]]}", 400, "row 0: a string"),
      ("/v1/models/m:predict", "", "{\"instances\":5}", 400, "array of arrays"),
      ("/v1/models/m:predict", "", "{\"instances\":[7]}", 400, "array of arrays"),
      ("/v1/models/m:predict", "", "{\"instances\":[{\"f0\":[1]}]}", 400, "row 0: the member"),
      (
        "/v1/models/m:predict", "", "{\"inputs\":{\"f0\":[1],\"f1\":[1,2]}}", 400,
        "differ in length"
      ),
      ("/v1/models/m:predict", "", "{\"inputs\":{\"g\":[1]}}", 400, "no column"),
      ("/v1/models/m:predict", "", "{\"instances\":[", 400, "not JSON: byte"),
      ("/v1/models/m:predict", "", "[]", 400, "not JSON: byte"),
      ("/v1/models/x:predict", "", "{}", 404, "no model"),
      ("/invocations", "", "[[1,2,3,4]]", 400, "exactly one"),
      ("/invocations", "", "{\"params\":{}}", 400, "exactly one"),
      ("/invocations", "", "{\"instances\":[],\"inputs\":[]}", 400, "exactly one"),
      ("/invocations", "", "{\"dataframe_split\":{\"data\":[[1]]}}", 400, "no columns"),
      (
        "/invocations", "", "{\"dataframe_split\":{\"columns\":[\"f0\"],\"data\":[[1,2]]}}", 400,
        "2 cells"
      ),
      ("/invocations", "text/plain", "x", 415, "text/csv"),
      ("/invocations", "application/json; charset=latin1", "{}", 415, "charset"),
      ("/invocations", "text/csv", "", 400, "header"),
      ("/invocations", "text/csv", "f0\nx\n", 400, "row 0"),
      ("/v2/models/m/infer", "", "{}", 400, "no inputs"),
      (
        "/v2/models/m/infer", "",
        "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[1]}]}", 400,
        "1 values"
      ),
      (
        "/v2/models/m/infer", "",
        "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,3],\"datatype\":\"FP32\",\"data\":[1,2,3]}]}",
        400, "[-1,4]"
      ),
      (
        "/v2/models/m/infer", "",
        "{\"inputs\":[{\"name\":\"x\",\"shape\":[-1,4],\"datatype\":\"FP32\",\"data\":[1]}]}", 400,
        "shape"
      ),
      (
        "/v2/models/m/infer", "",
        "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,4],\"datatype\":\"FP31\",\"data\":[1]}]}", 400,
        "FP31"
      ),
      (
        "/v2/models/m/infer", "",
        "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,4],\"datatype\":\"FP16\",\"data\":[1,2,3,4]}]}",
        400, "JSON"
      ),
      (
        "/v2/models/m/infer", "",
        "{\"inputs\":[{\"name\":\"x\",\"shape\":[1],\"datatype\":\"BYTES\",\"data\":[\"a\"]}]}",
        400,
        "BYTES"
      ),
      (
        "/v2/models/m/infer", "",
        "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,4],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":16}}]}",
        400, "only 0 are left"
      ),
      (
        "/v2/models/m/infer", "",
        "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[1,2,3,4]}],\"outputs\":[{\"name\":\"y\"}]}",
        400, "no output 'y'"
      ),
      ("/v2/models/m/versions/9/infer", "", "{}", 404, "version"),
      ("/v2/repository/index", "", "{\"ready\":1}", 400, "true or false"),
    ]

  @Test(arguments: refused.indices) func badBodiesAreRefusedInJSON(_ index: Int) throws {
    let (test, _) = try service("binary-logistic")
    let (path, type, body, status, part) = Self.refused[index]
    let fields = type.isEmpty ? [] : ["Content-Type: \(type)"]
    let reply = test.ask("POST \(path)", fields: fields, body)
    #expect(reply.status == status, "\(reply.body)")
    #expect(reply.error.contains(part), "'\(reply.error)' does not say '\(part)'")
    #expect(reply.field("Content-Type") == "application/json")
    // Nothing is left on the desk.
    let good = test.ask("POST /v1/models/m:predict", "{\"instances\":\(Self.arrays)}")
    #expect((good.object["predictions"] as? [Any])?.count == 3)
  }

  // MARK: V2

  private func little(_ values: [Double?]) -> [UInt8] {
    values.flatMap { value in
      withUnsafeBytes(of: Float(value ?? .nan).bitPattern.littleEndian) { Array($0) }
    }
  }

  private func floats(_ bytes: ArraySlice<UInt8>) -> [Float] {
    let bytes = Array(bytes)
    return stride(from: 0, to: bytes.count, by: 4).map { index in
      Float(bitPattern: bytes[index..<index + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }
  }

  @Test(arguments: ["binary-logistic", "softprob"]) func v2TakesNumbersAndBytes(_ fixture: String)
    throws
  {
    let (test, scores) = try service(fixture)
    let expected = scores.flatMap { $0.map(Float.init) }
    let flat = Self.rows.flatMap { $0.map(Self.text) }.joined(separator: ",")
    for data in ["[\(flat)]", Self.arrays] {
      let reply = test.ask(
        "POST /v2/models/m/versions/1/infer",
        "{\"id\":\"a\\\"1\",\"inputs\":[{\"name\":\"any\",\"data\":\(data),\"shape\":[3,4],\"datatype\":\"FP32\"}]}"
      )
      #expect(reply.object["id"] as? String == "a\"1")
      let output = (reply.object["outputs"] as? [[String: Any]])?.first
      #expect((output?["data"] as? [Double])?.map(Float.init) == expected, "\(reply.body)")
      #expect(output?["shape"] as? [Int] == [3, scores[0].count])
    }
    let named = Self.names.indices.map { column in
      "{\"name\":\"f\(column)\",\"shape\":[3,1],\"datatype\":\"FP64\",\"data\":[\(Self.rows.map { Self.text($0[column]) }.joined(separator: ","))]}"
    }
    let reply = test.ask(
      "POST /v2/models/m/infer", "{\"inputs\":[\(named.reversed().joined(separator: ","))]}")
    let output = (reply.object["outputs"] as? [[String: Any]])?.first
    #expect((output?["data"] as? [Double])?.map(Float.init) == expected)

    let head = Array(
      "{\"inputs\":[{\"name\":\"x\",\"shape\":[3,4],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":48}}],\"parameters\":{\"binary_data_output\":true}}"
        .utf8)
    let bytes = little(Self.rows.flatMap { $0 })
    let length = "Inference-Header-Content-Length: \(head.count)"
    let binary = test.ask("POST /v2/models/m/infer", fields: [length], body: head + bytes)
    #expect(binary.field("Content-Type") == "application/octet-stream")
    let count = try #require(Int(binary.field("Inference-Header-Content-Length") ?? ""))
    #expect(floats(binary.bytes[count...]) == expected)
    #expect(
      test.ask("POST /v2/models/m/infer", fields: [length], body: head + bytes + [0]).error
        == "1 bytes behind the last input's")
    let raw = test.ask(
      "POST /v2/models/m/infer", fields: ["Inference-Header-Content-Length: 0"],
      body: little(Self.rows[0]))
    let rawCount = try #require(Int(raw.field("Inference-Header-Content-Length") ?? ""))
    #expect(floats(raw.bytes[rawCount...]) == scores[0].map(Float.init))
    let wrong = test.ask(
      "POST /v2/models/m/infer", fields: ["Inference-Header-Content-Length: 999"], body: head)
    #expect(wrong.status == 400)
  }

  @Test func v2RanksClasses() throws {
    let served = try Serving.served("m", "softprob")
    let scores = Self.scores(served.model)
    let test = TestService([served])
    let reply = test.ask(
      "POST /v2/models/m/infer",
      "{\"inputs\":[{\"name\":\"x\",\"data\":\(Self.arrays),\"shape\":[3,4],\"datatype\":\"FP32\"}],"
        + "\"outputs\":[{\"name\":\"score\",\"parameters\":{\"classification\":2}}]}")
    let output = (reply.object["outputs"] as? [[String: Any]])?.first
    #expect(output?["datatype"] as? String == "BYTES" && output?["shape"] as? [Int] == [3, 2])
    let expected = scores.flatMap { row in
      row.indices.sorted { row[$0] > row[$1] }.prefix(2).map { "\(Float(row[$0])):\($0)" }
    }
    #expect(output?["data"] as? [String] == expected)
  }

  @Test func v2DescribesItself() throws {
    let (test, _) = try service("softprob")
    #expect(test.ask("GET /v2/health/live").body == "{\"live\":true}")
    #expect(test.ask("GET /v2/health/ready").body == "{\"ready\":true}")
    #expect(test.ask("GET /v2").object["version"] as? String == "1.2.3")
    let model = test.ask("GET /v2/models/m").object
    #expect(model["versions"] as? [String] == ["1"])
    let input = (model["inputs"] as? [[String: Any]])?.first
    #expect(input?["name"] as? String == "input" && input?["shape"] as? [Int] == [-1, 4])
    #expect(test.ask("GET /v2/models/m/ready").status == 200)
    #expect(test.ask("GET /v2/models/x/ready").status == 404)
    let index = test.ask("POST /v2/repository/index").json as? [[String: String]]
    #expect(index == [["name": "m", "version": "1", "state": "READY", "reason": ""]])
    _ = test.ask("POST /v1/models/m:predict", "{\"instances\":\(Self.arrays)}")
    for path in ["/v2/models/stats", "/v2/models/m/stats"] {
      let stats = test.ask("GET \(path)").object["model_stats"] as? [[String: Any]]
      #expect(stats?.first?["inference_count"] as? Int == 3)
      #expect(stats?.first?["execution_count"] as? Int == 1)
    }
  }

  /// Rows of several protocols and of `/decide`, all in one batch, each answered with its own.
  @Test func everyProtocolSharesTheBatch() throws {
    let (test, scores) = try service("binary-logistic")
    let bodies = [
      ("/v1/models/m:predict", "{\"instances\":\(Self.arrays)}"),
      ("/decide/m", "{\"f0\":0.5,\"f1\":-1.25,\"f2\":2,\"f3\":0.125}"),
      ("/invocations", "{\"dataframe_records\":\(Self.objects)}"), ("/decide/m", "{}"),
    ]
    let connections = bodies.map { path, body in
      let connection = test.connect()
      test.send(
        "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)",
        on: connection)
      return connection
    }
    _ = test.service.endTurn(now: 0)
    let replies = connections.map(test.receive)
    #expect(matches(replies[0].object["predictions"], scores))
    #expect((replies[1].object["score"] as? Double).map(Float.init) == Float(scores[0][0]))
    #expect(matches(replies[2].object["predictions"], scores))
    #expect((replies[3].object["score"] as? Double).map(Float.init) == Float(scores[2][0]))
    let counts = test.meters.total().models[0].counts
    #expect(counts.batches == 1 && counts.rows == 8)
  }
}
