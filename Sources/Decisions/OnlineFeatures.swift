// Features that a row does not bring: looked up by the entity that the row names, as of just before the row's time, in an
// online store or the process's own state. A plain row asks for a decision as an event of the model's type would; a
// features record has been answered already. What the row itself says of a feature stands; what nobody knows is null,
// and the model's defaults apply.

public import Core
public import Features

public final class OnlineFeatures {
  private let reader: any FeatureReader
  private let plan: RequestPlan
  private let type: Int
  private let clock: any Clock
  /// What the plan reads, by slot of the event schema.
  private let scalars: UnsafeMutablePointer<Scalar>
  private let paths: [(slot: Int, path: [String])]
  /// Slots of the decider, once it is known: of what the plan reads, of the time, and of each feature.
  private var members: [(slot: Int, from: Int)] = []
  private var timeSlot = 0
  private var features: [Int] = []
  private var values: [Scalar] = []
  private var given: [Scalar] = []
  /// Names of features whose guards let them pass but say so.
  private(set) var flagged: [String] = []
  /// How the last look-up went; nil where the row brought everything.
  private(set) var outcome: OnlineOutcome?

  /// - Parameters:
  ///   - type: the event type whose members a row has.
  ///   - clock: says what time a row is about that does not say it itself.
  public init(_ reader: any FeatureReader, type: Int, clock: any Clock) {
    self.reader = reader
    self.type = type
    self.clock = clock
    let (plan, paths) = reader.plan(requestsOf: type)
    self.plan = plan
    self.paths = plan.memberSlots.map { ($0, paths[$0]) }
    scalars = .allocate(capacity: max(1, paths.count))
    scalars.initialize(repeating: .null, count: max(1, paths.count))
  }

  deinit { scalars.deallocate() }

  /// The same for another decider of the same thread.
  func beside() -> OnlineFeatures { OnlineFeatures(reader.beside(), type: type, clock: clock) }

  /// Finds its place among a decider's slots, of which those that the model reads are there already.
  ///
  /// - Throws: where it reads what only tables know.
  func join(_ slots: RowSlots, _ schema: RequestSchema) throws(Failure) {
    for (slot, path) in paths {
      guard let (from, _) = RowLayout.plain.member(path, slots, schema) else { continue }
      members.append((slot, from))
    }
    timeSlot = RowLayout.plain.member(["time"], slots, schema)?.0 ?? slots.slot(["time"])
    let known = slots.plan.paths.count
    features = plan.answers.map { RowLayout.plain.feature($0.name, slots) }
    for (place, slot) in features.enumerated() where slot < known && plan.readsTable(place) {
      throw .usage(
        "\(plan.answers[place].name) comes from a table, which no online store and no serve --events holds",
        hint: "materialize --table gives rows with it, which score takes as they are")
    }
  }

  /// Fills the features that are null.
  ///
  /// - Returns: whether any was.
  /// - Throws: where one breaks a guard that rejects its row.
  func fill(_ row: UnsafeMutablePointer<Scalar>) throws(BadRecord) -> Bool {
    outcome = nil
    flagged.removeAll(keepingCapacity: true)
    guard features.contains(where: { row[$0].isNull }) else { return false }
    for (slot, from) in members { scalars[slot] = row[from] }
    var time = clock.now()
    if case .time(let given) = row[timeSlot] { time = given }
    given.removeAll(keepingCapacity: true)
    for slot in features { given.append(row[slot]) }
    reader.lookUp(plan, UnsafePointer(scalars), at: time, given: given, into: &values)
    outcome = reader.outcome
    for (place, consequence) in reader.broken {
      if consequence == .reject { throw BadRecord(plan.answers[place].rejection) }
      if consequence == .flag { flagged.append(plan.answers[place].name) }
    }
    for (place, slot) in features.enumerated() where row[slot].isNull { row[slot] = values[place] }
    return true
  }
}

extension OnlineFeatures {
  /// Appends what a decision says of the look-up.
  func append(to output: OutputBuffer) {
    outcome?.append(to: output)
    guard !flagged.isEmpty else { return }
    output.append("\"flagged\":[")
    for (index, name) in flagged.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      output.appendQuoted(name)
    }
    output.append("],")
  }
}

extension OnlineOutcome {
  /// Appends what a decision says of the look-up: up to which offset and watermark the rows are true, and how many
  /// were not as one would wish.
  func append(to output: OutputBuffer) {
    if offset < .max {
      output.append("\"features_offset\":")
      output.append(offset)
      output.append(",")
    }
    if watermark > .distantPast, watermark < .distantFuture {
      output.append("\"features_watermark\":")
      output.appendQuoted(watermark)
      output.append(",")
    }
    let counts: [(StaticString, Int)] = [
      ("absent", absent), ("damaged", damaged), ("ahead", ahead), ("unanswered", unanswered),
      ("stale", stale),
    ]
    guard counts.contains(where: { $0.1 > 0 }) else { return }
    output.append("\"online\":{")
    var needsComma = false
    for (name, count) in counts where count > 0 {
      if needsComma { output.append(UInt8(ascii: ",")) }
      needsComma = true
      output.append("\"")
      output.append(name)
      output.append("\":")
      output.append(Int64(count))
    }
    if stale > 0 {
      output.append(",\"stale_s\":")
      output.append(Double(age.microseconds) / 1e6)
    }
    output.append("},")
  }
}
