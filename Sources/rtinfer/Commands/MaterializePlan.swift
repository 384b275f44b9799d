// materialize plan: before anything runs, what an entity of each view will take in an online store, and what the project as it
// is would change in one that is there.

import Core
import Features

extension MaterializeCommand {
  static func plan(
    _ invocation: Invocation, _ features: FeatureDefinitions
  ) throws(Failure) -> ExitStatus {
    try refuse(
      [emit, requests, training, format, asOf, stale, at, table] + streaming, for: "plan",
      invocation)
    guard invocation.options.operands.count == 1 else {
      throw .usage("plan takes no further words", hint: "rtinfer materialize plan --online FOLDER")
    }
    let changes = try changes(invocation, features)
    let output = invocation.output
    for view in features.views {
      append(StatePlan(view), output)
      if let change = changes?.first(where: { $0.table == view.name })?.change {
        output.append(",\"change\":")
        output.appendQuoted(change.rawValue)
      }
      output.append("}\n")
    }
    for (table, change) in changes ?? [] where change == .dropped {
      output.append("{\"kind\":\"summary\",\"what\":\"plan\",\"view\":")
      output.appendQuoted(table)
      output.append(",\"change\":\"dropped\"}\n")
    }
    try output.flush()
    note(changes ?? [], invocation.messages)
    return .success
  }

  private static func changes(
    _ invocation: Invocation, _ features: FeatureDefinitions
  ) throws(Failure) -> [(table: String, change: TableChange)]? {
    guard try invocation.options.value(online) != nil else { return nil }
    guard case .folder(let folder) = try store(invocation) else {
      throw .usage(
        "plan looks into a folder", hint: "without --online it says what each view will take")
    }
    return try folder.changes(features)
  }

  private static func note(
    _ changes: [(table: String, change: TableChange)], _ messages: Messages
  ) {
    let isThere = changes.contains { $0.change == .same || $0.change == .changed }
    guard isThere, changes.contains(where: { $0.change == .changed || $0.change == .added })
    else { return }
    messages.note(
      "the store takes no events by these definitions: rtinfer materialize backfill writes it anew, with all views"
    )
  }

  private static func append(_ plan: StatePlan, _ output: OutputBuffer) {
    output.append("{\"kind\":\"summary\",\"what\":\"plan\",\"view\":")
    output.appendQuoted(plan.view)
    append(",\"entity_bytes\":", plan.entityBytes, output)
    output.append(",\"tiles\":[")
    for (index, tiles) in plan.tiles.enumerated() {
      output.append(index > 0 ? ",{\"every\":" : "{\"every\":")
      output.appendQuoted(tiles.width.description)
      append(",\"bytes\":", tiles.bytes, output)
      append(",\"most\":", tiles.most, output)
      output.append("}")
    }
    append("],\"event_bytes\":", plan.eventBytes, output)
    append(",\"events_kept\":", plan.eventsKept, output)
    if plan.exactWindow > .zero {
      output.append(",\"exact\":")
      output.appendQuoted(plan.exactWindow.description)
    }
    append(",\"entity_bytes_most\":", plan.entityBytesMost, output)
    append(plan.waiting, output)
    guard !plan.growing.isEmpty else { return }
    output.append(",\"growing\":{")
    for (index, state) in plan.growing.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      output.appendQuoted(state.feature)
      append(":", state.bytesPerValue, output)
    }
    output.append("}")
  }

  private static func append(_ waiting: [StatePlan.Waiting], _ output: OutputBuffer) {
    guard !waiting.isEmpty else { return }
    output.append(",\"waiting\":[")
    for (index, events) in waiting.enumerated() {
      output.append(index > 0 ? ",{\"stream\":" : "{\"stream\":")
      output.appendQuoted(events.stream)
      append(",\"bytes\":", events.bytes, output)
      output.append(",\"for\":")
      output.appendQuoted(events.reach.description)
      output.append("}")
    }
    output.append("]")
  }

  private static func append(_ name: StaticString, _ count: Int, _ output: OutputBuffer) {
    output.append(name)
    output.append(Int64(count))
  }
}
