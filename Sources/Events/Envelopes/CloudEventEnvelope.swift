// CloudEvents 1.0 in the JSON event format (structured mode), alone or as a batch, which is an array:
//
//     {"specversion":"1.0","id":"A-17","source":"/gates/7","type":"boarded","time":"2013-01-01T10:00:00Z",
//      "datacontenttype":"application/json","data":{"flight":1545}}
//
// The event's members are those of `data`. Source and id together name it (section 3.1.1 of the
// specification); `type`, and where the data has none, `id` and `time`, go on with it; other context attributes
// do not.

import Core

struct CloudEventEnvelope: Envelope {
  private let version, id, source, type, time, data, encoded: Int

  init(_ plan: inout FieldPlan) {
    version = plan.slot(["specversion"])
    id = plan.slot(["id"])
    source = plan.slot(["source"])
    type = plan.slot(["type"])
    time = plan.slot(["time"])
    data = plan.slot(["data"])
    encoded = plan.slot(["data_base64"])
  }

  func matches(_ record: RecordScanner) -> Bool {
    record.isString(version) && record.isString(id) && record.isString(source)
  }

  func open(
    _ record: RecordScanner, _ wrapping: Wrapping, depth: Int, into unwrapper: Unwrapper
  ) throws(BadRecord) {
    let what = "no CloudEvent"
    let number = try record.requiredText(version, "specversion", of: what)
    guard number == "1.0" else {
      throw BadRecord("a CloudEvent of version \(number.string), 1.0 is understood")
    }
    var inner = wrapping
    inner.id = try record.requiredText(id, "id", of: what)
    inner.type = try record.requiredText(type, "type", of: what)
    let identity =
      Array(try record.requiredText(source, "source", of: what).buffer) + [UInt8(ascii: " ")]
      + Array(inner.id.buffer)
    if record.isString(time) {
      guard let moment = Timestamp(rfc3339: record.text(time)) else {
        throw BadRecord("the CloudEvent's time is not RFC 3339: \(record.raw(time).excerpt)")
      }
      inner.time = moment
    }
    try identity.withBytes { (identity) throws(BadRecord) in
      inner.origin.id = identity
      try openData(record, inner, depth: depth, into: unwrapper)
    }
  }

  private func openData(
    _ record: RecordScanner, _ inner: Wrapping, depth: Int, into unwrapper: Unwrapper
  ) throws(BadRecord) {
    if record.isString(encoded) {
      let bytes = try record.decoded(encoded, "data_base64", of: "the CloudEvent")
      return bytes.withBytes {
        unwrapper.attempt($0, depth: depth + 1, inner)
      }
    }
    let content = record.raw(data)
    switch content.kind {
    case .null: unwrapper.attempt(Bytes("{}"), depth: depth + 1, inner)
    case .object: unwrapper.attempt(content.bytes, depth: depth + 1, inner)
    default:
      throw BadRecord("the CloudEvent's data is \(content.kind.name), not an object")
    }
  }
}
