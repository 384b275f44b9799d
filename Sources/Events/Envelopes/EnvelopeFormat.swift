// In what other systems wrap the events that they hand over. A record may be wrapped several times, as a change
// event is that Debezium has put into Kafka; `Unwrapper.swift` takes one wrapping off after the other.
//
//     kcat      { topic, partition, offset, ts, payload: "{\"op\":\"c\",…}" }
//     debezium      └──▶ { op, source: { ts_ms, … }, before, after: { … } }
//     event                                                    └──▶ { the row's own members }

public import Core

/// What a system's wrapping is called on the command line.
public enum EnvelopeFormat: String, Sendable, CaseIterable {
  case kcat, cloudevents, debezium, kinesis, pubsub
}

/// How records are wrapped, from the outside in.
public enum EnvelopeLayers: Sendable, Equatable {
  /// Each record is looked at.
  case automatic
  case layers([EnvelopeFormat])

  /// As in "kcat" or "kcat,debezium", or "auto"; "plain" for no wrapping.
  public init(_ text: String) throws(Failure) {
    if text == "auto" {
      self = .automatic
      return
    }
    var layers: [EnvelopeFormat] = []
    let names = text == "plain" ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
    for name in names {
      guard let format = EnvelopeFormat(rawValue: String(name)) else {
        let known = EnvelopeFormat.allCases.map(\.rawValue) + ["csv", "tsv", "auto", "plain"]
        throw .usage(
          "'\(name)' is no way to wrap events",
          hint: Spelling.nearest(String(name), among: known).map { "did you mean '\($0)'?" }
            ?? "one of \(known.joined(separator: ", ")), or several from the outside in: kcat,debezium"
        )
      }
      layers.append(format)
    }
    guard layers.count <= Limits.envelopeDepthMax else {
      throw .usage(
        "'\(text)' has \(layers.count) layers, at most \(Limits.envelopeDepthMax) are taken off")
    }
    self = .layers(layers)
  }
}

/// What a change event did to a row. A view that counts rows cannot take an update or a deletion back.
public enum ChangeOperation: String, Sendable, CaseIterable {
  case insert, update, delete
  /// The row was there before changes were watched.
  case snapshot

  /// Rows only ever come, and none changes.
  public var onlyAdds: Bool { self == .insert || self == .snapshot }
}

/// Where an event came from, as its wrapping says.
public struct EventOrigin {
  /// A topic, a stream, a subscription or a database; empty where none is named.
  public var source = Bytes.empty
  /// The source's partition or shard.
  public var partition: Int64?
  /// The place in the partition.
  public var offset: Int64?
  /// What names the event for good, however often it is delivered; empty where nothing does but the offset.
  public var id = Bytes.empty
  public var operation: ChangeOperation?

  public init() {}
}
