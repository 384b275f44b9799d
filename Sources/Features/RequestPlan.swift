// How questions are asked, worked out once: which views and tables a request of some type names entities for, and where
// in the row of answers each value goes.

import Core

/// How the events of one type ask: where in them each view's entity is named. A class, since the hot loop passes it
/// around for every question.
public final class RequestPlan {
  /// A feature that is answered.
  public struct Answer {
    /// As in `view:feature`.
    public let name: String
    /// As in a column: `view__feature`.
    public let columnName: String
    /// Whether the value is a list or an object, given as JSON text.
    public let isDocument: Bool
    /// What its guard has seen, if it has one.
    public let tally: GuardTally?

    /// Why a row is rejected whose value breaks the guard.
    public var rejection: String {
      "the feature \(name) breaks its guard (broken: \"reject\")"
    }
  }

  /// A view that the request names an entity for. The engine that made the plan holds it.
  struct AskedView {
    let state: Unmanaged<ViewState>
    /// In the engine's order.
    let view: Int
    let keySlots: KeySlots
  }

  /// The event type whose requests these are.
  let type: Int
  /// For each view that draws from that type, whether it finds its entity as a request does.
  let sharesKey: FrozenList<Bool>
  let views: FrozenList<AskedView>
  /// Views whose entity requests name.
  public var viewCount: Int { views.count }
  /// Answers of views.
  let storedCount: Int
  /// The same for tables.
  let tables: [(rows: TableRows, keySlots: KeySlots)]
  /// The entity members of all those views, each once, with its slot.
  public let entityMembers: [(name: String, slot: Int)]
  /// In the order of the values.
  public let answers: [Answer]
  /// Those among them that are expressions, with the places of what they read.
  let derived: [(expression: Expression, reads: [DerivedRead])]
  /// The places of guarded answers, with what guards them.
  let guarded: [(place: Int, tally: GuardTally)]

  /// The places of what tables answer: behind the views', before the derived.
  private var tablePlaces: Range<Int> {
    let end = answers.count - derived.count
    return end - tables.reduce(0) { $0 + $1.rows.view.features.count }..<end
  }

  /// Whether an answer is a table's, or made of one.
  public func readsTable(_ place: Int) -> Bool {
    guard place >= tablePlaces.upperBound else { return tablePlaces.contains(place) }
    return derived[place - tablePlaces.upperBound].reads.contains { read in
      if case .answer(let other) = read { readsTable(other) } else { false }
    }
  }

  /// Every slot that a look-up reads.
  public var memberSlots: [Int] {
    var slots = Set(entityMembers.map(\.slot))
    for read in derived.flatMap(\.reads) {
      if case .member(let slot) = read { slots.insert(slot) }
    }
    return slots.sorted()
  }

  init(
    type: Int, sharesKey: [Bool], views: [AskedView],
    tables: [(rows: TableRows, keySlots: KeySlots)],
    entityMembers: [(name: String, slot: Int)],
    answers: [Answer], derived: [(expression: Expression, reads: [DerivedRead])]
  ) {
    self.type = type
    self.sharesKey = FrozenList(sharesKey)
    self.views = FrozenList(views)
    self.tables = tables
    storedCount = views.reduce(0) { count, view in
      count + view.state._withUnsafeGuaranteedRef { $0.plans.count }
    }
    self.entityMembers = entityMembers
    self.answers = answers
    self.derived = derived
    self.guarded = answers.enumerated().compactMap { place, answer in
      answer.tally.map { (place, $0) }
    }
  }
}

/// Where an expression's value comes from.
enum DerivedRead {
  case member(slot: Int)
  case answer(place: Int)
}
