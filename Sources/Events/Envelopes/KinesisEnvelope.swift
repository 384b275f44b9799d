// Records of Amazon Kinesis as they are handed over, each with its data in base64:
//
//     to a function     {"Records":[{"kinesis":{"sequenceNumber":"4959…","data":"…",
//                       "approximateArrivalTimestamp":1545084650.987},"eventID":"shardId-000000000006:4959…",
//                       "eventSourceARN":"arn:aws:kinesis:us-east-2:…:stream/departures"}]}
//     get-records       {"Records":[{"SequenceNumber":"4954…","Data":"…","ApproximateArrivalTimestamp":…}]}
//     Firehose by HTTP  {"requestId":"…","timestamp":1578090901599,"records":[{"data":"…"}]}
//
// A sequence number, with its shard where that is told, names a record for good; Firehose tells none.

import Core

struct KinesisEnvelope: Envelope {
  private let records, delivered, requestID, requestTime: Int
  private let eventID, resource, kinesisData, kinesisNumber, kinesisTime: Int
  private let fetchedData, fetchedNumber, fetchedTime, bareData: Int

  init(_ plan: inout FieldPlan) {
    records = plan.slot(["Records"])
    delivered = plan.slot(["records"])
    requestID = plan.slot(["requestId"])
    requestTime = plan.slot(["timestamp"])
    eventID = plan.slot(["eventID"])
    resource = plan.slot(["eventSourceARN"])
    kinesisData = plan.slot(["kinesis", "data"])
    kinesisNumber = plan.slot(["kinesis", "sequenceNumber"])
    kinesisTime = plan.slot(["kinesis", "approximateArrivalTimestamp"])
    fetchedData = plan.slot(["Data"])
    fetchedNumber = plan.slot(["SequenceNumber"])
    fetchedTime = plan.slot(["ApproximateArrivalTimestamp"])
    bareData = plan.slot(["data"])
  }

  func matches(_ record: RecordScanner) -> Bool {
    record.raw(records).kind == .array
      || record.raw(delivered).kind == .array && record.isString(requestID)
      || record.isString(kinesisData)
      || record.isString(fetchedData) && record.isString(fetchedNumber)
  }

  func open(
    _ record: RecordScanner, _ wrapping: Wrapping, depth: Int, into unwrapper: Unwrapper
  ) throws(BadRecord) {
    var inner = wrapping
    for slot in [records, delivered] where record.raw(slot).kind == .array {
      inner.time = record.integer(requestTime).flatMap { TimeUnit.ms.timestamp(.int($0)) }
      return try unwrapper.takeElements(record.raw(slot).bytes, depth: depth, inner, of: self)
    }
    let what = "no record of Kinesis"
    let bytes: [UInt8]
    if record.isString(kinesisData) {
      inner.origin.id = try record.requiredText(eventID, "eventID", of: what)
      takeResource(record, &inner)
      inner.time = time(record, kinesisTime)
      bytes = try record.decoded(kinesisData, "kinesis.data", of: what)
    } else if record.isString(fetchedData) {
      inner.origin.id = try record.requiredText(fetchedNumber, "SequenceNumber", of: what)
      inner.time = time(record, fetchedTime)
      bytes = try record.decoded(fetchedData, "Data", of: what)
    } else {
      bytes = try record.decoded(bareData, "data", of: what)
    }
    bytes.withBytes { unwrapper.attempt($0, depth: depth + 1, inner) }
  }

  /// The stream's name behind its account, and the shard's number.
  private func takeResource(_ record: RecordScanner, _ inner: inout Wrapping) {
    if record.isString(resource) {
      let name = record.text(resource)
      let slash = name.buffer.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
      inner.origin.source = name[slash..<name.count]
      inner.typeHint = inner.origin.source
    }
    let parts = inner.origin.id.string.split(separator: ":")
    inner.origin.partition = parts[0].split(separator: "-").last.flatMap { Int64($0) }
  }

  /// Seconds since the epoch, or as the AWS command line writes them since its second version.
  private func time(_ record: RecordScanner, _ slot: Int) -> Timestamp? {
    guard let scalar = record.scalar(slot) else { return nil }
    return TimeUnit.s.timestamp(scalar) ?? TimeUnit.rfc3339.timestamp(scalar)
  }
}
