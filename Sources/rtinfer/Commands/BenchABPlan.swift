// What the command line and the project file of bench ab come to: arms, their models, what turns out and what it is worth.

import Core
import Decisions
import Events
import Features
import Measure
import Models
import Replay

struct BenchABPlan {
  let declared: BenchABSubject
  let features: FeatureDefinitions
  /// The models of the arms, by number.
  let deciders: [Decider]
  let models: [String]
  let arms: [ReplayArm]
  let subject: HistoryReplay.Subject
  /// Of the log, where arms take their ingest delay from it.
  let delays: LogDelays?
  /// As typed.
  let cluster: String
  let segment: String?
  let seed: UInt64
  let decisionsPath: String?
  let measuresLatency: Bool
  /// Of decisions with their propensities; nil: outcomes do not depend on the decision, or nothing can be said.
  let loggedPath: String?

  init(_ invocation: Invocation) throws(Failure) {
    let project = try Project.require(invocation)
    let options = invocation.options
    let found = try BenchABArms.read(invocation)
    let arms = found.list
    delays = found.delays
    let definition = try BenchABPlan.definition(invocation, project, arms)
    let declared = try BenchABSubject(definition, project, invocation)
    let (schema, outcome, values) = (declared.schema, declared.outcome, declared.values)
    self.declared = declared
    let definitions = try BenchABPlan.definitions(of: arms, definition, project, invocation)
    var deciders: [Decider] = []
    for definition in definitions {
      deciders.append(try BenchABPlan.decider(definition, project, invocation))
    }
    self.deciders = deciders
    models = definitions.map(\.name)
    self.arms = try BenchABArms.replayed(arms, models, subject: definition.name)
    features = try project.features(schema)
    cluster = try options.value(BenchAB.cluster) ?? "day"
    segment = try options.value(BenchAB.segmentBy)
    seed = try BenchAB.drawsBegin(options)
    decisionsPath = try options.value(BenchAB.decisions)
    measuresLatency = options.isOn(BenchAB.measureLatency)
    loggedPath = try options.value(BenchAB.logged)
    if loggedPath != nil {
      try BenchABPlan.refuseLogged(options, outcome, self.arms)
    }
    let scope = schema.scope(of: declared.asking)
    subject = HistoryReplay.Subject(
      asking: declared.asking,
      outcome: outcome?.dependsOnDecision == true && loggedPath == nil ? nil : outcome,
      cluster: cluster == "day"
        ? nil : try BenchABPlan.expression(BenchAB.cluster, cluster, options, scope),
      segment: try segment.map { (text) throws(Failure) in
        try BenchABPlan.expression(BenchAB.segmentBy, text, options, scope)
      },
      keepsLines: values?.readsMembers == true || decisionsPath != nil || loggedPath != nil)
    if hasCosts, values == nil {
      throw .usage(
        "\(options.origin(BenchAB.arms)): an arm has a cost, and no values say what a decision is worth",
        hint: "values: { \(definition.name): [ { if: \"outcome\", value: 1 } ] }")
    }
  }

  /// The model whose outcome and values count.
  private static func definition(
    _ invocation: Invocation, _ project: Project, _ arms: [BenchABArms.Arm]
  ) throws(Failure) -> ModelDefinition {
    guard try invocation.options.value(BenchAB.model) == nil, let name = arms[0].model else {
      return try project.model(invocation, BenchAB.model)
    }
    if ModelURI.isURI(name) { return try project.model(registered: name, invocation) }
    let models = try project.models()
    guard let definition = models.first(where: { $0.name == name }) else {
      throw undeclared(name, among: models, arms[0].node, "--\(BenchAB.arms.name)")
    }
    return definition
  }

  private static func undeclared(
    _ name: String, among models: [ModelDefinition], _ node: ConfigNode?, _ origin: String
  ) -> Failure {
    let message = "no model '\(name)' is declared"
    let hint = Spelling.nearest(name, among: models.map(\.name)).map { "did you mean '\($0)'?" }
    return node?.failure(message, hint: hint) ?? .usage("\(origin): \(message)", hint: hint)
  }

  /// Where propensities have nothing to correct, or cannot.
  private static func refuseLogged(
    _ options: Options, _ outcome: Outcome?, _ arms: [ReplayArm]
  ) throws(Failure) {
    let origin = options.origin(BenchAB.logged)
    if let outcome, outcome.dependsOnDecision == false {
      throw .usage(
        "\(origin): outcomes.\(outcome.name).depends_on_decision is false, so every arm is valued by all outcomes",
        hint: "leave --\(BenchAB.logged.name) out, or say depends_on_decision: true")
    }
    if arms.contains(where: \.waits) {
      throw .usage(
        "\(origin): an arm decides some time after the question, and whether that is too late depends on an outcome that depends on"
          + " the decision",
        hint: "arms that decide at once, without batch_decides and latency, can be valued")
    }
  }

  /// Those that decide in any arm, each once.
  private static func definitions(
    of arms: [BenchABArms.Arm], _ subject: ModelDefinition, _ project: Project,
    _ invocation: Invocation
  ) throws(Failure) -> [ModelDefinition] {
    var models = [subject]
    models += try project.models().filter { $0.name != subject.name }
    var definitions: [ModelDefinition] = []
    for arm in arms {
      let name = arm.model ?? subject.name
      guard !definitions.contains(where: { $0.name == name }) else { continue }
      if ModelURI.isURI(name) {
        models.append(try project.model(registered: name, invocation).named(name))
      }
      guard let definition = models.first(where: { $0.name == name }) else {
        throw undeclared(name, among: models, arm.node?["model"], "--\(BenchAB.arms.name)")
      }
      guard definition.decides == subject.decides else {
        throw .usage(
          "models.\(name) decides \(definition.decides.map { "'\($0)'" } ?? "no declared events"),"
            + " and models.\(subject.name) '\(subject.decides ?? "")'",
          hint: "arms are compared on the same questions")
      }
      definitions.append(definition)
    }
    return definitions
  }

  private static func decider(
    _ definition: ModelDefinition, _ project: Project, _ invocation: Invocation
  ) throws(Failure) -> Decider {
    let declared = try DeclaredModel(definition, project, invocation)
    let decider = try Decider(
      declared.definition, model: declared.model, schema: declared.schema)
    guard !decider.decisions.isEmpty else {
      throw .usage(
        "models.\(definition.name) has no rules, so there are no decisions to compare",
        hint: "rules: [ { if: \"score >= 0.5\", decide: \"act\" }, { decide: \"leave\" } ]")
    }
    return decider
  }

  static func expression(
    _ flag: Flag, _ text: String, _ options: Options, _ scope: Scope,
    expecting type: ValueType? = nil
  ) throws(Failure) -> Expression {
    do throws(ExpressionError) {
      return try Expression(text, scope: scope, expecting: type)
    } catch {
      throw .usage("\(options.origin(flag)): \(error.description)")
    }
  }

  var name: String { declared.definition.name }
  var schema: EventSchema { declared.schema }
  var outcome: Outcome? { declared.outcome }
  var values: DecisionValues? { declared.values }

  /// Whether any arm says what it costs.
  var hasCosts: Bool { arms.contains { $0.cost != .none } }

  /// How late an arm's events come in, where they do so in more than one way.
  func delays(_ arm: ReplayArm) -> (median: TimeSpan, p99: TimeSpan)? {
    if let drawn = arm.drawnDelay {
      return (drawn.delay(ofShare: 0.5), drawn.delay(ofShare: 0.99))
    }
    return delays.map { ($0.median, $0.p99) }
  }

  /// By arm and question, what decisions were worth; nil where that is not known.
  func worth(_ replay: HistoryReplay) -> [[Double?]] {
    guard let values, subject.outcome != nil else { return replay.rightGuesses() }
    return replay.values(values)
  }
}
