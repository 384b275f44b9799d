// A first schema from a sample: what was seen, as a project file would declare it. Where an event's id and
// time are is guessed by name and kind; a person reads it before it counts.

public import Core

extension SchemaSample {
  /// Where the id and the time of a type's events are.
  public struct Naming {
    /// Nil where no member identifies an event.
    public let id: String?
    public let time: String
    public let unit: TimeUnit
  }

  /// - Parameters:
  ///   - id: the member with the id, if there is one of that name.
  ///   - time: the member with the time; nil: `time`, or the first that is one in every event.
  public func naming(
    _ kind: EventKind, id: String, time: String?, unit: TimeUnit?
  ) throws(Failure) -> Naming {
    let isWhole = { (name: String) in kind[name].map { $0.count == kind.count } ?? false }
    let guess =
      isWhole("time")
      ? "time" : kind.members.first { $0.type == .time && $0.count == kind.count }?.name
    guard let name = time ?? guess, let member = kind[name], member.count == kind.count else {
      let what = time.map { "not every event has '\($0)'" } ?? "no member is a time in every event"
      throw .badData(
        "\(kind.name.isEmpty ? "the events" : "type '\(kind.name)'"): \(what)",
        hint:
          "name the member with the event's time: --time NAME, and --time-unit if it is a number")
    }
    let found: TimeUnit
    switch member.type {
    case .time: found = .rfc3339
    case .integer, .number: found = SchemaSample.unit(ofEpoch: member.maximum)
    default:
      throw .badData("the member '\(name)' is no time in every event")
    }
    let idFits = isWhole(id) && [.string, .integer, .time].contains(kind[id]!.type)
    return Naming(id: idFits ? id : nil, time: name, unit: unit ?? found)
  }

  /// By its size: since 1973 and until 5138, seconds, milliseconds, microseconds and nanoseconds do not overlap.
  private static func unit(ofEpoch value: Double) -> TimeUnit {
    if value < 1e11 { .s } else if value < 1e14 { .ms } else if value < 1e17 { .us } else { .ns }
  }

  /// The declaration of one type, as text for a project file's `events`.
  public func declaration(_ kind: EventKind, _ naming: Naming) -> String {
    var text = "    \(SchemaSample.key(kind.name.isEmpty ? "event" : kind.name)): {\n      "
    if let id = naming.id { text += "id: \(SchemaSample.quoted(id)), " }
    text += "time: \(SchemaSample.quoted(naming.time)),"
    if naming.unit != .rfc3339 { text += " time_unit: \"\(naming.unit.rawValue)\"," }
    text += "\n      fields: {\n"
    for member in kind.members where member.name != naming.time {
      let isOptional = member.count < kind.count
      let hasBounds =
        member.name != naming.id && (member.type == .integer || member.type == .number)
      text += "        \(SchemaSample.key(member.name)): "
      if hasBounds {
        text += "{ type: \"\(member.type.rawValue)\", "
        if isOptional { text += "optional: true, " }
        text += "min: \(member.minimum.plain), max: \(member.maximum.plain) },\n"
      } else {
        text += "\"\(member.type.rawValue)\(isOptional ? "?" : "")\",\n"
      }
    }
    return text + "      },\n    },\n"
  }

  private static func key(_ name: String) -> String {
    let isWord = name.utf8.enumerated().allSatisfy { place, byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "_"):
        true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): place > 0
      default: false
      }
    }
    return isWord && !name.isEmpty ? name : quoted(name)
  }

  private static func quoted(_ name: String) -> String {
    let output = OutputBuffer(MemorySink())
    output.appendQuoted(name)
    return output.pending.string
  }
}
