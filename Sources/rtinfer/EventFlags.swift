// The flags with which events are read, shared by the commands that read them.

import Core
import Events

enum EventFlags {
  static let type = Flag("type", .text("NAME"), "The type of every event, whatever its members say")
  static let typeMember = Flag(
    "type-member", .text("NAME"), "The member that tells an event's type", default: "type")
  static let id = Flag(
    "id", .text("NAME"), "The member that identifies an event, without a project file",
    default: "id")
  static let time = Flag(
    "time", .text("NAME"), "The member with the event's time, without a project file",
    default: "time")
  static let timeUnit = Flag(
    "time-unit", .choice(TimeUnit.allCases.map(\.rawValue)),
    "How times are written, without a project file", default: "rfc3339")
  static let lateness = Flag(
    "lateness", .text("SPAN"), "How late an event may come, without a project file",
    default: EventType.defaultLateness.description)
  static let dedup = Flag(
    "dedup", .text("SPAN"),
    "Drop events whose id was seen within this stretch of event time, without a project file",
    default: "off")

  static let from = Flag(
    "from", .text("FORMAT[,FORMAT]"),
    "What events come in: csv or tsv, and kcat, cloudevents, debezium, kinesis, pubsub, or auto",
    default: "plain, and tables in files ending in .csv or .tsv")
  static let idle = Flag(
    "idle", .text("SPAN"),
    "How far a source partition may fall behind the others and still hold the watermark back",
    default: idleStandard.description)
  static let idleStandard = TimeSpan.hours(1)
  static let wrapped = [from, idle]

  static let window = Flag(
    "window", .text("SPAN"), "How long the windows of event time are whose completeness is told",
    default: windowStandard.description)
  static let windowStandard = TimeSpan.hours(1)
  static let windows = Flag(
    "windows", .file, "Write how complete each window was to this file, one line each")

  static let privateKey = Flag(
    "private-key", .file, "The file with the secret that hashes private members, 16 bytes or more")

  /// How private members are hidden; nil where none are declared.
  static func privacy(
    _ invocation: Invocation, _ schema: EventSchema
  ) throws(Failure) -> Privacy? {
    let privates = schema.types.flatMap { type in type.privates.map { (type.name, $0) } }
    guard !privates.isEmpty else { return nil }
    guard let path = try invocation.options.value(privateKey) else {
      if let (type, member) = privates.first(where: { $0.1.action == .hash }) {
        throw .usage(
          "events.\(type).private hashes '\(member.name)', which needs a secret",
          hint:
            "name a file with one: --private-key FILE (head -c 32 /dev/urandom > FILE makes one)")
      }
      return Privacy(key: [])
    }
    let key = try invocation.files.contents(of: path, bytesMax: Limits.privateKeyBytesMax)
    guard key.count >= 16 else {
      throw .usage(
        "\(invocation.options.origin(privateKey)): \(path) holds \(key.count) bytes, a secret has 16 or"
          + " more")
    }
    return Privacy(key: key)
  }

  static func form(_ options: Options) throws(Failure) -> InputForm {
    guard let text = try options.value(from) else { return InputForm() }
    do throws(Failure) {
      return try InputForm(text)
    } catch {
      throw .usage("\(options.origin(from)): \(error.message)", hint: error.hint)
    }
  }

  static let dedupMemory = Flag(
    "dedup-memory", .text("SIZE"),
    "Of the ids that dedup remembers; more lie in files of $TMPDIR, or /var/tmp, which the system may write out",
    default: "1GiB")

  /// Where the ids lie that dedup remembers: as many bytes in memory, the others in files of the folder.
  static func idMemory(
    _ invocation: Invocation
  ) throws(Failure) -> (folder: String, bytesMax: Int) {
    let folder = invocation.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 }
    return (
      folder ?? SpillMemory.standardFolder,
      try LogFlags.bytes(dedupMemory, invocation.options) ?? SpillMemory.standardBytes
    )
  }

  /// What somebody should know of it.
  static func note(_ memory: SpillMemory) -> String? {
    if let trouble = memory.trouble {
      return
        "ids that dedup remembers took \(memory.heldBytes >> 20) MiB of memory, as no file would: \(trouble)"
    }
    guard memory.spilledBytes > 0 else { return nil }
    return
      "ids that dedup remembers: \(memory.heldBytes >> 20) MiB in memory, \(memory.spilledBytes >> 20) MiB in files of"
      + " \(memory.folder)"
  }

  static let declared = [type, typeMember]
  static let undeclared = [id, time, timeUnit, lateness, dedup]

  /// The schema of the project, or one of any events made from the flags.
  static func schema(_ invocation: Invocation, _ project: Project?) throws(Failure) -> EventSchema {
    let options = invocation.options
    let typeMember = try options.value(typeMember) ?? "type"
    if let project {
      let types = try project.eventTypes()
      if !types.isEmpty {
        try refuseUndeclared(options)
        return EventSchema(
          types: types, typeMember: typeMember, fixedType: try fixedType(options, types))
      }
    }
    let unit = try options.value(timeUnit).flatMap(TimeUnit.init(rawValue:)) ?? .rfc3339
    let any = EventType(
      name: try options.value(type) ?? "", idMember: try options.value(id) ?? "id",
      timeMember: try options.value(time) ?? "time", timeUnit: unit,
      lateness: try options.span(lateness) ?? EventType.defaultLateness,
      dedup: try options.span(dedup, atLeast: TimeSpan(microseconds: 1)))
    return EventSchema(anyType: any, typeMember: typeMember)
  }

  /// What the project file declares cannot be said again: two answers to one question are none.
  private static func refuseUndeclared(_ options: Options) throws(Failure) {
    for flag in undeclared where try options.value(flag) != nil {
      throw .usage(
        "\(options.origin(flag)) is for use without a project file",
        hint: "the project file's events say it")
    }
  }

  private static func fixedType(
    _ options: Options, _ types: [EventType]
  ) throws(Failure) -> Int? {
    guard let name = try options.value(type) else { return nil }
    guard let index = types.firstIndex(where: { $0.name == name }) else {
      let known = types.map(\.name)
      throw .usage(
        "\(options.origin(type)): no event type '\(name)' is declared",
        hint: Spelling.nearest(name, among: known).map { "did you mean '\($0)'?" }
          ?? "declared: \(known.joined(separator: ", "))")
    }
    return index
  }
}
