// One way of wrapping: how it is recognised, and what is inside. A new one is a type that conforms to this, a
// case of `EnvelopeFormat`, and a line in the table below.

import Core

protocol Envelope {
  /// True if the record looks like one of these.
  func matches(_ record: RecordScanner) -> Bool

  /// Hands what is inside on to the next layer.
  ///
  /// - Parameters:
  ///   - record: one of these, or none: then it is refused.
  ///   - wrapping: what the layers around it have said.
  func open(
    _ record: RecordScanner, _ wrapping: Wrapping, depth: Int, into unwrapper: Unwrapper
  ) throws(BadRecord)
}

extension EnvelopeFormat {
  func envelope(_ plan: inout FieldPlan) -> any Envelope {
    switch self {
    case .kcat: KcatEnvelope(&plan)
    case .cloudevents: CloudEventEnvelope(&plan)
    case .debezium: DebeziumEnvelope(&plan)
    case .kinesis: KinesisEnvelope(&plan)
    case .pubsub: PubSubEnvelope(&plan)
    }
  }
}

extension RecordScanner {
  func isString(_ slot: Int) -> Bool { raw(slot).kind == .string }
  func isObject(_ slot: Int) -> Bool { raw(slot).kind == .object }

  func integer(_ slot: Int) -> Int64? {
    let raw = raw(slot)
    return raw.kind == .number ? JSONNumber.integer(raw.bytes) : nil
  }

  /// A string that must be there.
  func requiredText(_ slot: Int, _ name: String, of what: String) throws(BadRecord) -> Bytes {
    guard isString(slot), !raw(slot).bytes.isEmpty else {
      throw BadRecord("\(what): the member '\(name)' is missing or not a string")
    }
    return text(slot)
  }

  /// An integer that must be there.
  func requiredInteger(_ slot: Int, _ name: String, of what: String) throws(BadRecord) -> Int64 {
    guard let value = integer(slot) else {
      throw BadRecord("\(what): the member '\(name)' is missing or not an integer")
    }
    return value
  }

  /// What was put into a string as base64.
  func decoded(_ slot: Int, _ name: String, of what: String) throws(BadRecord) -> [UInt8] {
    guard let bytes = Base64.decode(try requiredText(slot, name, of: what)) else {
      throw BadRecord("\(what): the member '\(name)' is not base64")
    }
    return bytes
  }
}
