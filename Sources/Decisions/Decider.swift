// From a row to a decision: the inputs are gathered, the model judges, the rules say what is done.
//
//     row ─▶ slots ─▶ inputs ─▶ model's row ─▶ margins ─▶ score ─▶ label ─▶ first rule that holds
//
// All memory is made once; a decision allocates nothing but what its text inputs need.

public import Core
public import Features
public import Models

/// The outcome of the last row; belongs to its decider and is overwritten by the next row.
public struct Decision {
  /// By input: what the model was told.
  public internal(set) var inputs: [Scalar] = []
  /// Before the objective's transform, one for each output.
  public internal(set) var margins: [Double] = []
  /// What the library's own `predict` gives.
  public internal(set) var scores: [Double] = []
  /// Index into the model's labels.
  public internal(set) var label: Int?
  /// Index into the model's rules.
  public internal(set) var rule: Int?
  /// Inputs that were null, before defaults.
  public internal(set) var missing = 0
  /// How features were looked up; nil where the row brought everything.
  public internal(set) var online: OnlineOutcome?
}

public final class Decider {
  public let name: String
  public let model: Model
  public let inputNames: [String]
  public let labels: [String]
  /// What each rule decides.
  public let decisions: [String]
  public let decides: String?
  public private(set) var decision = Decision()
  /// Nil while nobody asks why.
  var explanation: DecisionExplanation?

  /// `"name":` with the comma before it where one is due, ready to be written.
  let inputKeys: [Bytes]
  let scanner: RecordScanner
  let scalars: UnsafeMutablePointer<Scalar>
  let slotCount: Int
  let fields: [Field?]
  /// By input: the model's categories; empty where all inputs are numbers.
  private let categories: [CategoryCodes?]
  /// Slots whose cells stay texts, since a category is looked up as it is written.
  private let textSlots: Set<Int>
  private let aliases: [(slot: Int, from: Int)]
  private let plans: PerLayout<InputPlan>
  private let conditions: PerLayout<[Expression?]>
  /// Slots that hold inputs' values.
  let inputSlots: PerLayout<[Int]>
  private let scoreSlot: Int
  private let labelSlot: Int
  private let labelTexts: [Bytes]
  private let stack = ExpressionStack()
  private let row: UnsafeMutableBufferPointer<Double>
  private let outputs: UnsafeMutableBufferPointer<Double>
  let marks: MarkSlots
  let online: OnlineFeatures?
  /// By layout: the declared members, held against their declarations; empty where nothing is to be checked.
  let checks: [RowLayout: [MemberCheck]]
  /// Members that somebody reads or declares, where all others are to be refused.
  let knownMembers: KeptMembers?

  /// - Parameters:
  ///   - schema: what is declared of the rows, for typed expressions and "did you mean".
  ///   - checksRequests: rows come from callers, and `check` holds them against the schema.
  ///   - online: where features come from that a plain row does not bring.
  public init(
    _ definition: ModelDefinition, model: Model, schema: RequestSchema,
    checksRequests: Bool = false, online: OnlineFeatures? = nil
  ) throws(Failure) {
    let slots = RowSlots()
    let marks = MarkSlots(slots)
    // The decision's own values shadow members of these names.
    scoreSlot = slots.slot(["_rt", "score"])
    labelSlot = slots.slot(["_rt", "label"])
    let extra = [
      "score": Binding(slot: scoreSlot, type: .double),
      "label": Binding(slot: labelSlot, type: .string),
    ]
    let compiled = try PerLayout { (layout) throws(Failure) in
      let plan = try InputPlan(definition, model, layout, slots, schema)
      let scope = layout.scope(slots, schema, extra: extra)
      return (plan: plan, conditions: try Decider.conditions(definition, scope))
    }
    let plans = compiled.map(\.plan)
    try online?.join(slots, schema)
    self.online = online
    try Decider.checkLabels(definition, model)
    // Wrong ones are a mistake also while nobody asks why.
    _ = try DecisionExplanation.reasons(definition, plans[.plain].inputs.map(\.name))
    self.checks = checksRequests ? MemberCheck.all(schema, slots) : [:]
    self.name = definition.name
    self.model = model
    self.decides = definition.decides
    self.plans = plans
    self.inputSlots = plans.map { plan in
      plan.inputs.flatMap { $0.expression.slots + [$0.given].compactMap { $0 } }
    }
    self.conditions = compiled.map(\.conditions)
    self.inputNames = plans[.plain].inputs.map(\.name)
    self.inputKeys = Decider.keys(inputNames)
    self.labels = definition.labels
    self.labelTexts = definition.labels.map { Bytes(owning: $0) }
    self.decisions = definition.rules.map(\.decision)
    self.marks = marks
    self.scanner = RecordScanner(slots.plan)
    self.knownMembers =
      checksRequests && schema.refusesUnknown
      ? scanner.keepingOnly(slots.plan.paths.map { $0[0] }) : nil
    self.slotCount = slots.plan.paths.count
    self.fields = (0..<slotCount).map { slots.fields[$0] }
    self.aliases = slots.aliases
    self.categories = Decider.categories(model)
    self.textSlots = Decider.textSlots(plans[.plain], slots, categories)
    self.scalars = .allocate(capacity: slotCount)
    self.scalars.initialize(repeating: .null, count: slotCount)
    self.row = .allocate(capacity: max(1, model.inputCount))
    self.outputs = .allocate(capacity: max(1, model.outputCount))
    self.row.initialize(repeating: .nan)
    self.outputs.initialize(repeating: 0)
  }

  deinit {
    scalars.deallocate()
    row.deallocate()
    outputs.deallocate()
  }

  /// Whether an input is a number and no category.
  public func isNumber(input: Int) -> Bool { categories.isEmpty || categories[input] == nil }

  private static func categories(_ model: Model) -> [CategoryCodes?] {
    let categories = (0..<model.inputCount).map { model.categories(ofInput: $0) }
    return categories.contains { $0 != nil } ? categories : []
  }

  private static func textSlots(
    _ plan: InputPlan, _ slots: RowSlots, _ categories: [CategoryCodes?]
  ) -> Set<Int> {
    var result: Set<Int> = []
    for (input, categories) in zip(plan.inputs, categories) where categories != nil {
      if let given = input.given { result.insert(given) }
      // One that is computed is of the type that its expression takes.
      if input.expression.slots.count == 1 { result.formUnion(input.expression.slots) }
    }
    for (slot, from) in slots.aliases where result.contains(slot) { result.insert(from) }
    return result.filter { slots.fields[$0] == nil }
  }

  private static func keys(_ names: [String]) -> [Bytes] {
    names.enumerated().map { index, name in
      let sink = OutputBuffer(MemorySink())
      if index > 0 { sink.append(",") }
      sink.appendQuoted(name)
      sink.append(":")
      return Bytes(owning: sink.pending.string)
    }
  }

  private static func conditions(
    _ definition: ModelDefinition, _ scope: Scope
  ) throws(Failure) -> [Expression?] {
    var result: [Expression?] = []
    for rule in definition.rules {
      guard let node = rule.condition else {
        result.append(nil)
        continue
      }
      let text = try node.string()
      do throws(ExpressionError) {
        result.append(try Expression(text, scope: scope, expecting: .bool))
      } catch {
        throw node.failure(error.description)
      }
    }
    return result
  }

  private static func checkLabels(
    _ definition: ModelDefinition, _ model: Model
  ) throws(Failure) {
    guard !definition.labels.isEmpty else { return }
    guard model.isClassifier else {
      throw definition.failure(
        "has labels, but \(definition.title) (\(model.objective)) has no classes")
    }
    guard definition.labels.count == model.classCount else {
      throw definition.failure(
        "lists \(definition.labels.count) labels, \(definition.title) has \(model.classCount) classes"
      )
    }
  }

  // MARK: Reading rows

  /// The columns of a CSV header, as slots; nil for columns that nothing reads.
  public func slots(ofColumns names: [String]) -> [Int?] {
    names.map { scanner.plan.existingSlot([$0]) }
  }

  /// The members of a plain row that an input is computed of, as paths.
  public func members(ofInput index: Int) -> [[String]] {
    plans[.plain].inputs[index].expression.slots.map { scanner.plan.paths[$0] }
  }

  /// Inputs that a table with these columns cannot give: every row will lack them.
  public func inputsMissing(inColumns names: [String]) -> [String] {
    var known = Set(names.compactMap { scanner.plan.existingSlot([$0]) })
    for (slot, from) in aliases where known.contains(from) { known.insert(slot) }
    return plans[.plain].inputs.filter { input in
      if let given = input.given, known.contains(given) { return false }
      return input.expression.slots.contains { !known.contains($0) }
    }.map(\.name)
  }

  /// Takes up a line of JSON: a features record or a plain row.
  ///
  /// - Parameter padding: bytes behind the line that may be loaded.
  public func read(_ line: Bytes, padding: Int = 0) throws(BadRecord) -> RowKind {
    do throws(JSONError) {
      try scanner.scan(line, padding: padding)
    } catch {
      throw BadRecord("not JSON: \(error.description)")
    }
    let kind = try marks.kind(scanner)
    try checkComposites(kind)
    for slot in 0..<slotCount {
      let value = scanner.scalar(slot)
      if let field = fields[slot] {
        scalars[slot] = try field.convert(value, scanner.raw(slot))
      } else {
        guard let value else {
          throw BadRecord(
            "the member '\(scanner.plan.paths[slot].joined(separator: "."))' is beyond the range"
              + " of a double: \(scanner.raw(slot).excerpt)")
        }
        scalars[slot] = value
      }
    }
    takeAliases()
    return kind
  }

  /// The offset of the event that the row at hand answers; nil where the row does not say.
  public var eventOffset: Int64? {
    if case .int(let offset) = scalars[marks.offsetSlot] { offset } else { nil }
  }

  /// The id of the row at hand as its decision shows it, null where there is none.
  public var shownId: [UInt8] {
    let output = OutputBuffer(MemorySink(), capacity: 64)
    output.append(scalars[marks.idSlot])
    return output.pending.copy()
  }

  /// An array or object where a number is due is a mistake of the row's maker, not a missing value.
  private func checkComposites(_ kind: RowKind) throws(BadRecord) {
    for slot in inputSlots[kind.layout] {
      let raw = scanner.raw(slot)
      guard raw.kind == .array || raw.kind == .object else { continue }
      let path = scanner.plan.paths[slot].joined(separator: ".")
      throw BadRecord("the member '\(path)' is \(raw.kind.name), not a value: \(raw.excerpt)")
    }
  }

  /// Takes up a row of CSV cells, an empty one being missing.
  public func read(cells: UnsafeBufferPointer<Bytes>, slots: [Int?]) throws(BadRecord) {
    for slot in 0..<slotCount { scalars[slot] = .null }
    for (cell, slot) in zip(cells, slots) {
      guard let slot, !cell.isEmpty else { continue }
      scalars[slot] =
        textSlots.contains(slot) ? .text(cell) : try CellText.convert(cell, fields[slot])
    }
    takeAliases()
  }

  /// Takes up a row of a table's cells that came as JSON: nil is missing, and an empty text is a category as any other.
  public func read(cells: [Bytes?], slots: [Int?]) throws(BadRecord) {
    for slot in 0..<slotCount { scalars[slot] = .null }
    for (cell, slot) in zip(cells, slots) {
      guard let slot, let cell else { continue }
      if textSlots.contains(slot) {
        scalars[slot] = .text(cell)
      } else if !cell.isEmpty {
        scalars[slot] = try CellText.convert(cell, fields[slot])
      }
    }
    takeAliases()
  }

  /// Slots whose values the model is told as they are: an input's own, a member's or a feature's.
  func plainInputs(_ kind: RowKind) -> [Int] {
    plans[kind.layout].inputs.flatMap { input in
      let names = [input.name, FeatureName.feature(input.name)]
      let read = input.expression.slots.filter { names.contains(scanner.plan.paths[$0].last) }
      return read + [input.given].compactMap { $0 }
    }
  }

  func takeAliases() {
    for (slot, from) in aliases where scalars[slot].isNull { scalars[slot] = scalars[from] }
  }

  // MARK: Deciding

  /// Gathers what the model is told.
  public func gather(_ kind: RowKind) throws(BadRecord) {
    decision.online = nil
    if let online, kind == .plain, try online.fill(scalars) {
      decision.online = online.outcome
      takeAliases()
    }
    decision.inputs.removeAll(keepingCapacity: true)
    decision.missing = 0
    stack.reset()
    // By address: a copy of an input would be counted by all that it refers to.
    try plans[kind.layout].inputs.withUnsafeBufferPointer { (inputs) throws(BadRecord) in
      for index in 0..<inputs.count {
        let input = inputs.baseAddress! + index
        var value = input.pointee.given.map { scalars[$0] } ?? .null
        if value.isNull {
          value = Unmanaged.passUnretained(input.pointee.expression).borrowed {
            $0.evaluate(scalars, stack)
          }
        }
        if value.isNull {
          decision.missing += 1
          value = input.pointee.substitute
        }
        decision.inputs.append(value)
        row[index] = value.isNull ? .nan : try number(value, index)
      }
    }
  }

  /// What the model is told for a value that comes by its input's place: a category's code, and the default of a
  /// missing one.
  public func told(_ value: Scalar, ofInput index: Int) throws(BadRecord) -> Double {
    let value = value.isNull ? plans[.plain].inputs[index].substitute : value
    return value.isNull ? .nan : try number(value, index)
  }

  private func number(_ value: Scalar, _ input: Int) throws(BadRecord) -> Double {
    if !categories.isEmpty, let categories = categories[input] {
      return try code(value, categories, inputNames[input])
    }
    guard let number = value.number else {
      throw BadRecord("the input '\(inputNames[input])' is not a number: \(value.excerpt)")
    }
    return number
  }

  /// A category's code; NaN for one that the training has not seen, as the libraries have it.
  private func code(
    _ value: Scalar, _ categories: CategoryCodes, _ name: String
  ) throws(BadRecord) -> Double {
    var number = value.number
    if case .text(let text) = value {
      if let code = categories.code(of: text) { return Double(code) }
      number = JSONNumber.double(text.trimmed)
      guard number != nil else { return .nan }
    }
    guard let number else {
      throw BadRecord("the input '\(name)' is no category: \(value.excerpt)")
    }
    if let code = categories.code(of: number) { return code }
    guard !categories.takesAnyText else {
      throw BadRecord(
        "the input '\(name)' is no category, which is a text or a whole number: \(value.excerpt)")
    }
    return .nan
  }

  /// What the model is told, in its own order, NaN being a missing value: for a batch that is judged elsewhere.
  /// Valid until the next row.
  public var gathered: UnsafeBufferPointer<Double> {
    UnsafeBufferPointer(rebasing: row[0..<model.inputCount])
  }

  /// By input, what the model is told in place of a missing value; NaN: that it is missing.
  public var substitutes: [Double] {
    plans[.plain].inputs.map { $0.substitute.number ?? .nan }
  }

  /// Lets the model judge.
  public func judge() {
    model.margins(UnsafeBufferPointer(row), rowCount: 1, into: outputs)
    adopt()
  }

  /// Takes up what the model said of this row in a batch.
  ///
  /// - Parameter margins: `model.outputCount` values, before the objective's transform.
  public func take(margins: UnsafeBufferPointer<Double>) {
    precondition(margins.count == model.outputCount, "one margin for each output")
    _ = outputs.update(fromContentsOf: margins)
    adopt()
  }

  private func adopt() {
    decision.margins.removeAll(keepingCapacity: true)
    decision.margins.append(contentsOf: outputs)
    model.transform(outputs)
    decision.scores.removeAll(keepingCapacity: true)
    decision.scores.append(contentsOf: outputs.prefix(model.scoreCount))
  }

  /// Finds what each input gave to the margins; nothing while nobody asks why.
  public func explain() {
    explanation?.explain(UnsafeBufferPointer(row))
  }

  /// Finds the label and the first rule that holds.
  public func conclude(_ kind: RowKind) {
    decision.label =
      model.isClassifier
      ? model.classIndex(margins: decision.margins, scores: decision.scores) : nil
    scalars[scoreSlot] = .double(decision.scores.max() ?? 0)
    scalars[labelSlot] = .null
    if let label = decision.label, labelTexts.indices.contains(label) {
      scalars[labelSlot] = .text(labelTexts[label])
    }
    decision.rule = conditions[kind.layout].withUnsafeBufferPointer { conditions in
      conditions.indices.first { index in
        switch conditions[index]?.evaluate(scalars, stack) {
        case nil, .some(.bool(true)): true
        default: false
        }
      }
    }
  }
}

extension Scalar {
  /// As text for a message, cut after 40 bytes.
  fileprivate var excerpt: String {
    switch self {
    case .text(let text): "'\(text.count <= 40 ? text.string : text[0..<40].string + "…")'"
    case .time(let time): time.rfc3339
    default: "\(self)"
    }
  }
}
