// Triton's model repository: which models there are, and loading and unloading them (`ModelChanges`).

import Core
import HTTP

extension Service {
  func repositoryIndex(_ call: Call) throws(Refusal) {
    var onlyReady = false
    try readMembers(call.request.body) { (name, raw) throws(JSONFault) in
      guard name == "ready" else { return }
      guard raw.kind == .bool else {
        throw .refusal(Refusal(.badRequest, "'ready' is true or false"))
      }
      onlyReady = raw.bytes == "true"
    }
    body.rewind(to: 0)
    body.append("[")
    for (index, desk) in desks.enumerated() {
      if index > 0 { body.append(",") }
      body.append("{\"name\":")
      body.appendQuoted(desk.served.name)
      body.append(
        ",\"version\":\"\(desk.served.wireVersion)\",\"state\":\"READY\",\"reason\":\"\"}")
    }
    if !onlyReady {
      for name in catalog.unloaded {
        if body.pending.count > 1 { body.append(",") }
        body.append("{\"name\":")
        body.appendQuoted(name)
        body.append(",\"state\":\"UNAVAILABLE\",\"reason\":\"unloaded\"}")
      }
    }
    body.append("]")
    respond(call, .ok, .json, body: body.pending)
  }

  func changeModel(_ call: Call, _ action: ModelChanges.Action) throws(Refusal) {
    guard let changes = options.changes else {
      throw Refusal(.conflict, "this server serves no models")
    }
    guard let name = call.route.model.percentDecoded else {
      throw Refusal(.badRequest, "the model's name is not percent-encoded UTF-8")
    }
    try readMembers(call.request.body) { (member, raw) throws(JSONFault) in
      guard member == "parameters", action == .load, raw.kind == .object else { return }
      guard raw.bytes[1..<raw.bytes.count - 1].trimmed.isEmpty else {
        throw .refusal(
          Refusal(.badRequest, "a model is loaded from where it is declared, without parameters"))
      }
    }
    let change = ModelChanges.Change(
      name: name, action: action, number: nextLateCall, replies: lateReplies)
    guard changes.offer(change) else {
      return refuse(
        call, Refusal(.unavailable, "too many changes of models wait"),
        fields: "Retry-After: 1\r\n")
    }
    answerLater(call)
  }

  /// The members of a body that is an object, or empty.
  private func readMembers(
    _ body: Bytes, _ take: (String, JSONRaw) throws(JSONFault) -> Void
  ) throws(Refusal) {
    guard !body.trimmed.isEmpty else { return }
    do throws(JSONFault) {
      var cursor = JSONCursor(body)
      try cursor.objectBegins()
      var first = true
      while let name = try cursor.key(&first) { try take("\(name)", try cursor.raw()) }
      try cursor.ends()
    } catch {
      throw error.refusal
    }
  }
}
