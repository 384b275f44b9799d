// TensorFlow Serving's REST, which KServe calls its protocol V1:
//
//     POST /v1/models/fraud:predict   {"instances":[[1,2],[3,4]]}  ─▶ {"predictions":[0.1,0.2]}
//                                     {"inputs":{"a":[1,3]}}       ─▶ {"outputs":[0.1,0.2]}
//     GET  /v1/models/fraud           what both families of clients look for, in one object

import Core
import Decisions
import HTTP

extension Service {
  func v1Predict(_ call: Call) throws(Refusal) {
    let desk = try servedDesk(call.route)
    let began = clock.monotonicNanoseconds()
    var reader = RowReader(desk, self)
    var member: String?
    var cursor = JSONCursor(call.request.body, padding: Request.padding, allowsNonFinite: true)
    do throws(JSONFault) {
      try cursor.objectBegins()
      var first = true
      while let name = try cursor.key(&first) {
        guard name == "instances" || name == "inputs" else {
          _ = try cursor.raw()
          continue
        }
        guard member == nil else {
          throw .refusal(Refusal(.badRequest, "'instances' and 'inputs' exclude each other"))
        }
        member = name
        do throws(Refusal) { try read(name, &reader, &cursor) } catch { throw .refusal(error) }
      }
      try cursor.ends()
    } catch {
      throw error.refusal
    }
    guard let member else {
      throw Refusal(.badRequest, "neither 'instances' nor 'inputs' is there")
    }
    try reader.finish()
    try predict(
      call, rows: reader.rows, at: desk, began: began,
      V1Reply(member: member == "instances" ? "predictions" : "outputs"))
  }

  private func read(
    _ member: String, _ reader: inout RowReader, _ cursor: inout JSONCursor
  ) throws(Refusal) {
    let kind: JSONKind
    do throws(JSONFault) { kind = try cursor.peeked() } catch { throw error.refusal }
    if member == "inputs", kind == .object {
      try reader.readColumns(&cursor)
    } else {
      try reader.readRows(&cursor)
    }
  }

  func v1Models(_ call: Call) {
    body.rewind(to: 0)
    body.append("{\"models\":[")
    for (index, desk) in desks.enumerated() {
      if index > 0 { body.append(",") }
      body.appendQuoted(desk.served.name)
    }
    body.append("]}")
    respond(call, .ok, .json, body: body.pending)
  }

  /// TensorFlow Serving's status and KServe's readiness.
  func v1Model(_ call: Call) throws(Refusal) {
    let desk = try servedDesk(call.route)
    body.rewind(to: 0)
    body.append("{\"name\":")
    body.appendQuoted(desk.served.name)
    body.append(",\"ready\":true,\"model_version_status\":[{\"version\":")
    body.appendQuoted(desk.served.wireVersion)
    body.append(
      ",\"state\":\"AVAILABLE\",\"status\":{\"error_code\":\"OK\",\"error_message\":\"\"}}]}")
    respond(call, .ok, .json, body: body.pending)
  }
}

struct V1Reply: PredictionReply {
  let member: String

  func write(_ scores: Scores, to body: OutputBuffer) {
    body.append("{\"\(member)\":")
    scores.appendRows(to: body)
    body.append("}")
  }
}
