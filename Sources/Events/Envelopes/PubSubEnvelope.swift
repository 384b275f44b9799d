// Messages of Google Cloud Pub/Sub as a push subscription posts them, and as `gcloud pubsub subscriptions pull
// --format json` lists them (an array, each with an `ackId`), or the service itself answers a pull:
//
//     push    {"message":{"data":"eyJpZCI6…","messageId":"2070443601311540","publishTime":"2021-02-26T19:13:55.749Z",
//              "attributes":{…}},"subscription":"projects/p/subscriptions/departures"}
//     gcloud  [{"ackId":"…","message":{…}},…]
//     pull    {"receivedMessages":[{"ackId":"…","message":{…}},…]}
//
// The message id names it for good within its topic. Attributes and ordering keys do not go on.

import Core

struct PubSubEnvelope: Envelope {
  private let received, subscription, data, id, olderID, time: Int

  init(_ plan: inout FieldPlan) {
    received = plan.slot(["receivedMessages"])
    subscription = plan.slot(["subscription"])
    data = plan.slot(["message", "data"])
    id = plan.slot(["message", "messageId"])
    olderID = plan.slot(["message", "message_id"])
    time = plan.slot(["message", "publishTime"])
  }

  func matches(_ record: RecordScanner) -> Bool {
    record.isString(id) || record.isString(olderID) || record.raw(received).kind == .array
  }

  func open(
    _ record: RecordScanner, _ wrapping: Wrapping, depth: Int, into unwrapper: Unwrapper
  ) throws(BadRecord) {
    if record.raw(received).kind == .array {
      return try unwrapper.takeElements(
        record.raw(received).bytes, depth: depth, wrapping, of: self)
    }
    let what = "no message of Pub/Sub"
    var inner = wrapping
    inner.origin.id = try record.requiredText(
      record.isString(id) ? id : olderID, "message.messageId", of: what)
    if record.isString(subscription) {
      let name = record.text(subscription)
      let slash = name.buffer.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
      inner.origin.source = name[slash..<name.count]
      inner.typeHint = inner.origin.source
    }
    if record.isString(time) { inner.time = Timestamp(rfc3339: record.text(time)) }
    let bytes = try record.decoded(data, "message.data", of: what)
    bytes.withBytes { unwrapper.attempt($0, depth: depth + 1, inner) }
  }
}
