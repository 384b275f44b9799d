// An accepted event as it goes on: the line as it came, without an older mark and with a new one at its end.
//
//     {"id":"a1",…} ─▶ {"id":"a1",…,"_rt":{"type":"departed","offset":17,"ingested":"…","watermark":"…","partition":0}}

public import Core

public final class ArrivalWriter {
  /// By type: the mark up to the offset's number; empty where each event says its own type.
  private let beginnings: [Bytes]
  private let owned: [OutputBuffer]
  private var ingestTimes = TimestampWriter()
  private var watermarks = TimestampWriter()

  public init(_ schema: EventSchema) {
    owned = schema.types.map { type in
      let text = OutputBuffer(MemorySink(), capacity: 64)
      if !schema.isOpen { ArrivalWriter.appendBeginning(Bytes(owning: type.name), to: text) }
      return text
    }
    beginnings = owned.map(\.pending)
  }

  private static func appendBeginning(_ type: Bytes, to output: OutputBuffer) {
    output.append("\"_rt\":{")
    if !type.isEmpty {
      output.append("\"type\":")
      output.appendQuoted(type)
      output.append(UInt8(ascii: ","))
    }
    output.append("\"offset\":")
  }

  /// Appends the event's line, without a line end.
  public func append(_ arrival: Arrival, ingested: Timestamp, to output: OutputBuffer) {
    let needsComma = arrival.borrowedDecoder.borrowed {
      $0.appendOpen(arrival.event.type, to: output)
    }
    if needsComma { output.append(UInt8(ascii: ",")) }
    let beginning = beginnings[arrival.event.type]
    if beginning.isEmpty {
      ArrivalWriter.appendBeginning(arrival.event.typeName, to: output)
    } else {
      output.append(beginning)
    }
    output.append(arrival.offset)
    output.append(",\"ingested\":")
    output.appendQuoted(ingested, &ingestTimes)
    if arrival.watermark > .distantPast {
      output.append(",\"watermark\":")
      output.appendQuoted(arrival.watermark, &watermarks)
    }
    let origin = arrival.origin
    if let origin, !origin.source.isEmpty {
      output.append(",\"source\":")
      output.appendQuoted(origin.source)
    }
    output.append(",\"partition\":")
    output.append(origin?.partition ?? Int64(arrival.partition))
    if let origin { append(origin, to: output) }
    output.append("}}")
  }

  private func append(_ origin: EventOrigin, to output: OutputBuffer) {
    if let offset = origin.offset {
      output.append(",\"source_offset\":")
      output.append(offset)
    }
    if !origin.id.isEmpty {
      output.append(",\"source_id\":")
      output.appendQuoted(origin.id)
    }
    if let operation = origin.operation {
      output.append(",\"op\":")
      output.appendQuoted(operation.rawValue)
    }
  }
}
