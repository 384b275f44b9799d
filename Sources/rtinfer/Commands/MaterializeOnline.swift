// materialize with an online store: kept fresh while rows are emitted, made anew from events, and looked into.

import Core
import Events
import Features

extension MaterializeCommand {
  static let online = Flag(
    "online", .folder,
    "Keep this online store fresh, for score, serve and materialize get: a folder, redis://… or unix://…"
  )
  /// How long get waits for a server.
  private static let deadline = TimeSpan.seconds(5)
  static let at = Flag(
    "at", .text("TIME"), "For get: as of just before this time, in RFC 3339 or 'now'",
    default: "now")

  /// The store that --online names.
  static func store(_ invocation: Invocation) throws(Failure) -> OnlineAddress {
    guard let path = try invocation.options.value(online) else {
      throw .usage(
        "no online store is named",
        hint:
          "name its folder with --online .rtinfer/online, or a server with --online redis://HOST")
    }
    return try OnlineAddress(
      path, origin: invocation.options.origin(online), in: invocation.files)
  }

  static func refuse(
    _ flags: [Flag], for words: String, _ invocation: Invocation
  ) throws(Failure) {
    for flag in flags where try invocation.options.value(flag) != nil {
      throw .usage("--\(flag.name) is not for \(words)")
    }
  }

  /// Writes the store anew from events; the old one serves until they are all in.
  static func backfill(
    _ invocation: Invocation, _ schema: EventSchema, _ features: FeatureDefinitions
  ) throws(Failure) -> ExitStatus {
    try refuse(
      [emit, requests, training, format, asOf, at, LogReading.follow], for: "backfill", invocation)
    if try invocation.options.value(ResumedOutput.flag) != nil,
      try invocation.options.value(LogReading.consumer) == nil
    {
      throw .usage("--out of a backfill is cut back to what --consumer NAME has read; name it")
    }
    let stream = try FeatureStream(
      invocation, schema: schema, features: features, asking: [],
      online: .rebuilt(try store(invocation), invocation.clock),
      operands: Array(invocation.options.operands.dropFirst()))
    return try stream.run(byWatermark: false)
  }

  // MARK: Inspection

  /// Prints an entity's row.
  static func get(
    _ invocation: Invocation, _ schema: EventSchema, _ features: FeatureDefinitions
  ) throws(Failure) -> ExitStatus {
    try refuse([emit, requests, training, format, asOf] + streaming, for: "get", invocation)
    let operands = invocation.options.operands
    guard operands.count >= 2 else {
      throw .usage(
        "get needs a view and the values of its entity",
        hint: "rtinfer materialize get origin_traffic JFK --online .rtinfer/online")
    }
    let names = features.views.map(\.name)
    guard let index = names.firstIndex(of: operands[1]) else {
      throw .usage(
        "no view '\(operands[1])' is declared",
        hint: Spelling.nearest(operands[1], among: names).map { "did you mean '\($0)'?" }
          ?? "declared: \(names.joined(separator: ", "))")
    }
    let view = features.views[index]
    let values = Array(operands.dropFirst(2))
    guard values.count == view.entity.count else {
      throw .usage(
        "\(view.name): its entity is named by \(view.entity.joined(separator: ", ")),"
          + " \(values.count) values are given")
    }
    let candidates = try view.entityValues(values, schema)
    let time = try time(invocation)
    let reader = try OnlineReader(
      features, schema: schema, at: store(invocation), views: [index], deadline: deadline,
      clock: invocation.clock)
    var answers: [Scalar] = []
    var entity: [Scalar] = []
    var known: (answer: RowAnswer, bytes: Int)?
    for candidate in candidates where known == nil {
      entity = candidate
      known = try reader.inspect(index, candidate, at: time, into: &answers)
    }
    guard let found = known else {
      invocation.messages.note(
        "\(view.name): nothing is known of \(values.joined(separator: ", "))")
      return .verdictNo
    }
    let output = invocation.output
    appendRow(view, entity, answers, at: time, to: output)
    let committed = reader.committed(index)
    output.append(",\"_rt\":{\"view\":")
    output.appendQuoted(view.name)
    output.append(",\"latest\":")
    output.appendQuoted(found.answer.latest)
    output.append(",\"age_s\":")
    output.append(Double(time.microseconds - found.answer.latest.microseconds) / 1e6)
    output.append(",\"offset\":")
    output.append(found.answer.lastOrder)
    output.append(found.answer.isAhead ? ",\"ahead\":true,\"bytes\":" : ",\"bytes\":")
    output.append(Int64(found.bytes))
    appendCommitted(committed.offset, committed.watermark, to: output)
    output.append("}}\n")
    try output.flush()
    return .success
  }

  private static func time(_ invocation: Invocation) throws(Failure) -> Timestamp {
    try time(
      try invocation.options.value(at) ?? "now", origin: invocation.options.origin(at), invocation)
  }

  /// - Parameter origin: of the text, for messages.
  static func time(
    _ text: String, origin: String, _ invocation: Invocation
  ) throws(Failure) -> Timestamp {
    if text == "now" { return invocation.clock.now() }
    guard let time = Array(text.utf8).withBytes({ Timestamp(rfc3339: $0) }) else {
      throw .usage(
        "\(origin): '\(text)' is no time",
        hint: "as in --at 2013-01-05T10:00:00Z, or --at now")
    }
    return time
  }

  private static func appendRow(
    _ view: FeatureView, _ entity: [Scalar], _ answers: [Scalar], at time: Timestamp,
    to output: OutputBuffer
  ) {
    output.append("{\"kind\":\"features\",\"time\":")
    output.appendQuoted(time)
    output.append(",\"entity\":{")
    for (index, name) in view.entity.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      output.appendQuoted(name)
      output.append(UInt8(ascii: ":"))
      output.append(entity[index])
    }
    output.append("},\"features\":{")
    for (index, feature) in view.features.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      output.appendQuoted(feature.name)
      output.append(UInt8(ascii: ":"))
      output.append(answers[index], isDocument: feature.givesDocument)
    }
    output.append("}")
  }

  private static func appendCommitted(
    _ offset: Int64, _ watermark: Timestamp, to output: OutputBuffer
  ) {
    output.append(",\"features_offset\":")
    output.append(offset)
    guard watermark > .distantPast else { return }
    output.append(",\"features_watermark\":")
    output.appendQuoted(watermark)
  }

  /// Prints a summary of every view.
  static func stat(
    _ invocation: Invocation, _ features: FeatureDefinitions
  ) throws(Failure) -> ExitStatus {
    try refuse([emit, requests, training, format, asOf, at] + streaming, for: "stat", invocation)
    let store = try store(invocation)
    let output = invocation.output
    var damaged = 0
    for view in features.views {
      let table = try store.statistics(view, clock: invocation.clock)
      damaged += table.damaged
      output.append("{\"kind\":\"summary\",\"view\":")
      output.appendQuoted(table.view)
      let counts: [(StaticString, Int?)] = [
        (",\"rows\":", table.rows), (",\"row_bytes\":", table.rowBytes),
        (",\"file_bytes\":", table.fileBytes), (",\"damaged\":", table.damaged),
      ]
      for case (let key, let count?) in counts {
        output.append(key)
        output.append(Int64(count))
      }
      for (key, time) in [("oldest", table.oldest), ("newest", table.newest)] {
        guard let time else { continue }
        output.append(",\"\(key)\":")
        output.appendQuoted(time)
      }
      appendCommitted(table.offset, table.watermark, to: output)
      output.append("}\n")
    }
    try output.flush()
    guard damaged == 0 else {
      throw .badData(
        "\(store.name): \(damaged) rows are damaged",
        hint: "rtinfer materialize backfill writes the store anew")
    }
    return .success
  }
}

/// What becomes of an online store while events come in.
enum OnlineUse {
  case none
  /// Goes on where an earlier run has stopped.
  case kept(OnlineAddress, any Clock)
  /// Made anew.
  case rebuilt(OnlineAddress, any Clock)

  var rebuilds: Bool {
    if case .rebuilt = self { true } else { false }
  }

  func writer(_ engine: FeatureEngine) throws(Failure) -> OnlineWriter? {
    switch self {
    case .none: nil
    case .kept(let store, let clock):
      try OnlineWriter(engine, at: store, rebuilds: false, clock: clock)
    case .rebuilt(let store, let clock):
      try OnlineWriter(engine, at: store, rebuilds: true, clock: clock)
    }
  }
}

extension Messages {
  /// What did not get into the store.
  func report(_ writer: OnlineWriter) {
    if writer.heldCount > 0 {
      note("\(writer.heldCount.grouped) events were in the online store already")
    }
    for (view, count) in writer.oversized.sorted(by: { $0.key < $1.key }) {
      note(
        "\(view): \(count.grouped) rows beyond \(Limits.onlineRowBytesMax.grouped) bytes were not"
          + " stored; a window with a hop (every) needs less than an exact one")
    }
  }
}
