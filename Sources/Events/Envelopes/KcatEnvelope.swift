// What `kcat -C -J` prints for each record of a Kafka topic:
//
//     {"topic":"departures","partition":0,"offset":7,"tstype":"create","ts":1357034400000,"broker":1,
//      "headers":["trace","…"],"key":"UA","payload":"{\"id\":…}"}
//
// The payload is text, unless kcat was told to unpack Avro. Topic, partition and offset name a record for
// good; `ts` is its time unless the event has one. Keys and headers do not go on.

import Core

struct KcatEnvelope: Envelope {
  private let topic, partition, offset, time, payload: Int

  init(_ plan: inout FieldPlan) {
    topic = plan.slot(["topic"])
    partition = plan.slot(["partition"])
    offset = plan.slot(["offset"])
    time = plan.slot(["ts"])
    payload = plan.slot(["payload"])
  }

  func matches(_ record: RecordScanner) -> Bool {
    record.isString(topic) && record.integer(partition) != nil && record.integer(offset) != nil
  }

  func open(
    _ record: RecordScanner, _ wrapping: Wrapping, depth: Int, into unwrapper: Unwrapper
  ) throws(BadRecord) {
    var inner = wrapping
    let what = "no record of kcat -J"
    inner.origin.source = try record.requiredText(topic, "topic", of: what)
    inner.origin.partition = try record.requiredInteger(partition, "partition", of: what)
    let number = try record.requiredInteger(offset, "offset", of: what)
    guard (0..<Limits.offsetMax).contains(number) else {
      throw BadRecord("\(what): its offset is \(number), which is no offset of Kafka's")
    }
    inner.origin.offset = number
    inner.typeHint = inner.origin.source
    inner.time = record.integer(time).flatMap { $0 < 0 ? nil : TimeUnit.ms.timestamp(.int($0)) }
    let content = record.raw(payload)
    switch content.kind {
    case .null: unwrapper.addTombstone()
    case .string:
      unwrapper.attempt(record.text(payload), depth: depth + 1, inner)
    case .object: unwrapper.attempt(content.bytes, depth: depth + 1, inner)
    default:
      throw BadRecord("the payload is \(content.kind.name), not an event")
    }
  }
}
