// Decisions as they were written down, and what became of them. They are read first, then events go by in any order;
// memory is that of the decisions (about 100 bytes each), not of the events.

import Core
import Decisions
import Events
import Features
import Measure
import Models

/// What the project says of the decisions and of their outcome.
struct OutcomePlan {
  let definition: ModelDefinition
  /// Of whose decisions the others are left out; nil: of all.
  let version: String?
  let schema: EventSchema
  let outcome: Outcome
  let decisionsPath: String
  /// Names of the project's other models.
  let otherModels: Set<String>

  init(_ invocation: Invocation) throws(Failure) {
    let project = try Project.require(invocation)
    definition = try project.model(invocation, DriftOutcomes.model)
    version = try OutcomePlan.version(definition, invocation.options)
    schema = try EventFlags.schema(invocation, project)
    guard let decides = definition.decides, let asking = schema.index(of: decides) else {
      throw .usage(
        "models.\(definition.name) does not say which declared type of event it decides",
        hint: "decides: \"scheduled\", an event type of the project's events")
    }
    let name = definition.name
    guard let found = try project.outcomes(of: asking, schema).first(where: { $0.name == name })
    else {
      throw .usage(
        "the project declares no outcome of \(name)",
        hint: "outcomes: { \(name): { from: …, join: …, outcome: …, matures: … } }")
    }
    outcome = found
    otherModels = Set(try project.models().map(\.name).filter { $0 != name })
    guard let path = try invocation.options.value(DriftOutcomes.decisions) else {
      throw .usage(
        "no decisions are named",
        hint: "rtinfer drift outcomes --decisions decisions.ndjson arrived.ndjson")
    }
    decisionsPath = path
  }

  /// As --version says, or --model by naming a version of the registry.
  private static func version(
    _ definition: ModelDefinition, _ options: Options
  ) throws(Failure) -> String? {
    let typed = try options.value(DriftOutcomes.version)
    guard case .file(let text) = definition.source, let uri = try? ModelURI(text),
      case .version(let number) = uri.reference, let named = try options.value(DriftOutcomes.model),
      ModelURI.isURI(named)
    else { return typed }
    guard typed == nil else {
      throw .usage(
        "\(options.origin(DriftOutcomes.version)) and --\(DriftOutcomes.model.name) \(named) both say which version"
      )
    }
    return "\(number)"
  }

  /// By what turns out, and where that does not tell, by the model's labels.
  func kind(_ width: Int) throws(Failure) -> AnswerKind {
    let labels = definition.labels.count
    if width > 1 { return width == 2 ? .yesOrNo : .classes(width) }
    switch outcome.type {
    case .bool: return .yesOrNo
    case .string where labels == 0:
      throw .usage(
        "outcomes.\(outcome.name) is a text, and models.\(definition.name) has no labels",
        hint: "labels: [\"on_time\", \"late\"]")
    default: return labels == 0 ? .number : labels <= 2 ? .yesOrNo : .classes(labels)
    }
  }
}

final class DecisionHistory {
  let collector: OutcomeCollector
  private let outcome: Outcome
  private let labels: [String]
  private let model: String
  private let version: String?
  /// `width` for each decision.
  private(set) var scores: [Double] = []
  /// Scores of a decision.
  private(set) var width = 1
  private(set) var read = 0
  private(set) var repeats = 0
  private var times: [Timestamp] = []
  private let scanner: RecordScanner
  private let slots: Slots
  private let seen = ByteTable()
  private let identity = OutputBuffer(MemorySink(), capacity: 256)

  private struct Slots {
    let time, score, model, version, join, input: Int
  }

  init(_ outcome: Outcome, _ definition: ModelDefinition, version: String?) {
    self.outcome = outcome
    self.version = version
    labels = definition.labels
    model = definition.name
    collector = OutcomeCollector(outcome)
    var plan = FieldPlan()
    let path = outcome.join.split(separator: ".").map(String.init)
    slots = Slots(
      time: plan.slot(["time"]), score: plan.slot(["score"]), model: plan.slot(["_rt", "model"]),
      version: plan.slot(["_rt", "version"]), join: plan.slot(path),
      input: plan.slot(["inputs", outcome.join]))
    scanner = RecordScanner(plan)
  }

  // MARK: Decisions

  func read(_ path: String, otherModels: Set<String>, _ rejects: Rejects) throws(Failure) {
    let reader = LineReader(try DescriptorSource.file(path))
    while let line = try reader.next() {
      read += 1
      do throws(BadRecord) {
        if line.fault == .tooLong { throw BadRecord("longer than \(Limits.lineBytesMax) bytes") }
        try take(line.bytes, otherModels)
      } catch {
        try rejects.add(
          "decision: \(error.reason)", source: path, line: line.number, byte: line.offset,
          raw: line.bytes)
      }
    }
    guard !times.isEmpty else {
      throw .badData(
        "\(path): no decision of \(model)" + (version.map { ", version \($0)" } ?? ""),
        hint: read == 0 ? nil : "lines with id, time and score, as score and serve write them")
    }
  }

  private func take(_ line: Bytes, _ otherModels: Set<String>) throws(BadRecord) {
    do throws(JSONError) {
      try scanner.scan(line, padding: LineReader.padding)
    } catch {
      throw BadRecord("not JSON: \(error.description)")
    }
    if scanner.raw(slots.model).kind == .string,
      otherModels.contains(scanner.text(slots.model).string)
    {
      return
    }
    if let version, !isVersion(version) { return }
    guard let time = scanner.scalar(slots.time).flatMap({ TimeUnit.rfc3339.timestamp($0) }) else {
      throw BadRecord("its time is no time (RFC 3339)")
    }
    let join = [slots.join, slots.input].lazy.compactMap(scanner.scalar).first { !$0.isNull }
    guard let join else {
      throw BadRecord("no '\(outcome.join)', at the top or among its inputs, to join by")
    }
    let given = try givenScores()
    if times.isEmpty {
      width = given.count
    } else if given.count != width {
      throw BadRecord("\(given.count) scores, the first decision has \(width)")
    }
    guard isNew(join, time) else {
      repeats += 1
      return
    }
    times.append(time)
    scores += given
    collector.ask(joining: join, at: time)
  }

  /// A version is written as a text or as a number.
  private func isVersion(_ version: String) -> Bool {
    let raw = scanner.raw(slots.version)
    return raw.kind == .string
      ? scanner.text(slots.version) == version : raw.bytes == version
  }

  private func isNew(_ join: Scalar, _ time: Timestamp) -> Bool {
    identity.rewind(to: 0)
    identity.append(join)
    identity.append(" ")
    identity.append(time.microseconds)
    return seen.insert(identity.pending).isNew
  }

  private func givenScores() throws(BadRecord) -> [Double] {
    if let number = scanner.scalar(slots.score)?.number { return [number] }
    let raw = scanner.raw(slots.score)
    guard raw.kind == .array else { throw BadRecord("its score is no number") }
    do throws(JSONError) {
      var cursor = JSONCursor(raw.bytes)
      var scores: [Double] = []
      var first = true
      try cursor.beginArray()
      while try cursor.nextElement(first: &first) { scores.append(try cursor.readDouble()) }
      guard !scores.isEmpty else { throw JSONError("holds no numbers", at: 0) }
      return scores
    } catch {
      throw BadRecord("its score: \(error.description)")
    }
  }

  // MARK: Outcomes

  /// Once all events have been observed.
  func rows() throws(Failure) -> [OutcomeRow] {
    var rows: [OutcomeRow] = []
    for (index, time) in times.enumerated() {
      rows.append(
        OutcomeRow(
          time: time, hasMatured: collector.hasMatured(index),
          outcome: try number(collector.value(index))))
    }
    return rows
  }

  private func number(_ value: Scalar) throws(Failure) -> Double? {
    guard case .text(let text) = value else { return value.number }
    let word = text.string
    guard let index = labels.firstIndex(of: word) else {
      throw .badData(
        "outcomes.\(outcome.name) gave '\(word)', which is none of the model's labels",
        hint: "labels: \(labels.joined(separator: ", "))")
    }
    return Double(index)
  }
}
