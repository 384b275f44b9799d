// A made world whose value of freshness is known beforehand. Each entity has a state that is drawn anew at half past
// every hour, bad with chance p, and told by an event a minute later; a quarter of an hour after that somebody asks
// whether it is bad, and before the next draw it turns out.
//
//     10:00        10:30 state   10:31 told   10:45 asked   10:55 turns out        11:00
//     ─┼──────────────┼────────────┼─────────────┼──────────────┼───────────────────┼─
//      ▲ batch every hour: knows the state before                ▲ batch: knows this one
//
// Real-time knows the state and is always right. A batch every hour knows the one before, drawn independently: it is
// wrong with chance 2 p (1 − p). A right answer being worth 1, that is what real-time is worth, for each question.

import Core
import Decisions
import Events
import Features
import Measure
import Models
import Replay
import TestSupport

struct World {
  /// What turns out.
  enum Truth {
    /// The state: fresh features help.
    case state
    /// A coin that nothing knows of: they do not.
    case coin
    /// The state for the first entity, a coin for others: they help in one segment.
    case stateOfTheFirst
  }

  var days = 8
  var entities = 1
  var truth = Truth.state
  var badShare = 0.5
  var seed: UInt64 = 1
  var ingestDelay = TimeSpan.zero
  var publishDelay = TimeSpan.zero
  var intervals: [TimeSpan] = [.hours(1)]
  /// Instead of real-time and a batch for each interval.
  var arms: [ReplayArm]?
  var by: String?

  static let start = Timestamp(microseconds: 1_386_115_200_000_000)

  /// The events, in the order of their time.
  func lines() -> [(time: Timestamp, line: String)] {
    var random = SplitMix64(seed: seed)
    var lines: [(time: Timestamp, line: String)] = []
    func add(_ type: String, _ time: Timestamp, _ entity: Int, _ hour: Int, _ bad: Bool?) {
      let member = bad.map { ",\"bad\":\($0 ? 1 : 0)" } ?? ""
      lines.append(
        (
          time,
          "{\"type\":\"\(type)\",\"id\":\"\(entity)-\(hour)\",\"time\":\"\(time.rfc3339)\","
            + "\"who\":\"\(entity)\"\(member)}"
        ))
    }
    for hour in 0..<(days * 24) {
      let time = World.start + .hours(Int64(hour))
      for entity in 0..<entities {
        let state = Double.random(in: 0..<1, using: &random) < badShare
        let coin = Double.random(in: 0..<1, using: &random) < badShare
        add("told", time + .minutes(31), entity, hour, state)
        add("asked", time + .minutes(45), entity, hour, nil)
        add("known", time + .minutes(55), entity, hour, tellsState(entity) ? state : coin)
      }
    }
    // One event after all, so that everything matures.
    add("told", World.start + .days(Int64(days)) + .hours(2), 0, 0, false)
    return lines.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
      .map(\.element)
  }

  private func tellsState(_ entity: Int) -> Bool {
    truth == .state || truth == .stateOfTheFirst && entity == 0
  }

  // MARK: The replay

  static let project = """
    {
      told: { id: 'id', fields: { who: 'string', bad: 'integer' } },
      asked: { id: 'id', fields: { who: 'string' } },
      known: { id: 'id', fields: { who: 'string', bad: 'integer' } },
    }
    """
  static let views = """
    { state: { entity: ['who'], from: 'told', features: { bad: { last: 'bad' } } } }
    """
  static let outcome =
    "{ m: { from: 'known', join: 'id', outcome: 'bad == 1', matures: '30m' } }"

  static func schema() throws -> EventSchema {
    var types: [EventType] = []
    for member in try ConfigNode.members(project) { types.append(try EventType(member)) }
    return EventSchema(types: types)
  }

  /// Says one thing where the state was good or is not known, another where it was bad.
  ///
  /// - Parameter leaves: of good and bad.
  static func decider(
    _ schema: EventSchema, _ features: FeatureDefinitions, leaves: String = "0.1 0.9"
  ) throws -> Decider {
    let text = """
      tree
      version=v4
      num_class=1
      num_tree_per_iteration=1
      label_index=0
      max_feature_idx=0
      objective=regression
      feature_names=state__bad
      feature_infos=[0:1]
      tree_sizes=1

      Tree=0
      num_leaves=2
      num_cat=0
      split_feature=0
      split_gain=1
      threshold=0.5
      decision_type=10
      left_child=-1
      right_child=-2
      leaf_value=\(leaves)
      leaf_weight=1 1
      leaf_count=1 1
      internal_value=0
      internal_count=2
      is_linear=0
      shrinkage=1


      end of trees

      """
    let model = try Array(text.utf8).withBytes { (bytes) throws(Failure) in
      try ModelLoader.load(bytes, source: "world")
    }
    let definition = try ModelDefinition(
      try ConfigNode.member(
        """
        { m: { uri: 'world', decides: 'asked', inputs: ['state:bad'],
               rules: [ { if: 'score >= 0.5', decide: 'act' }, { decide: 'leave' } ] } }
        """))
    return try Decider(
      definition, model: model,
      schema: RequestSchema(
        fields: schema.types[1].fields, features: features.names))
  }

  /// Arms have a choice of models: 0 believes what it is told, 1 the contrary, and 2 never acts, which is what one learns
  /// of a state that tells nothing.
  func replay() throws -> HistoryReplay {
    let schema = try World.schema()
    let features = try FeatureDefinitions(try ConfigNode.members(World.views), schema: schema)
    let outcome = try Outcome(
      try ConfigNode.member(World.outcome), asking: 1, schema: schema)
    let batches = intervals.map {
      ReplayArm(runs: .every($0), publishDelay: publishDelay, ingestDelay: ingestDelay)
    }
    let models = ["0.1 0.9", "0.9 0.1", "0.2 0.2"]
    let replay = HistoryReplay(
      .init(
        asking: 1, outcome: outcome, cluster: nil,
        segment: try by.map { try Expression($0, scope: schema.scope(of: 1)) }, keepsLines: false),
      arms: arms ?? [ReplayArm(ingestDelay: ingestDelay)] + batches,
      deciders: try models.map { try World.decider(schema, features, leaves: $0) },
      features: features, schema: schema, rejects: try Rejects(TestRun().invocation),
      trustsMarks: false)
    for (offset, event) in lines().enumerated() {
      let bytes = Array(event.line.utf8)
      try replay.take(
        WaitingEvent(time: event.time, id: [], offset: Int64(offset), line: bytes),
        watermark: event.time)
    }
    try replay.finish()
    return replay
  }

  /// Real-time and each batch, a right guess being worth 1.
  func comparisons() throws -> [ArmComparison] {
    let replay = try replay()
    return replay.comparisons(
      worth: replay.rightGuesses(), bootstrap: ClusterBootstrap(replicates: 500, seed: seed))
  }
}
