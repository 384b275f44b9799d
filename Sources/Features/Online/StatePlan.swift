// What an entity of a view will take in an online store, worked out from the definition alone: the bytes of `EntityRow`.
//
//     a row   =  entity  +  tiles × tile  +  events × event          texts of events are extra
//     and an event that waits in a join is a row of another table (`JoinState+Rows`)
//
// Sizes of states are those of states of numbers, taken from states that have seen some; those that grow with
// their values (sets, lists, sketches) are named with what a value adds. The latest events of an entity lie
// beside its tiles; those of an exact window all do.

public import Core

public struct StatePlan: Sendable {
  /// The partial states of windows of one hop.
  public struct Tiles: Sendable {
    public let width: TimeSpan
    /// Of one tile, all aggregations together.
    public internal(set) var bytes: Int
    /// Of one entity to which something happens in each of them.
    public internal(set) var most: Int
  }

  public struct Growing: Sendable {
    public let feature: String
    /// For each further value that it has to keep.
    public let bytesPerValue: Int
  }

  /// Events of one stream of a join that wait for a match, in a table of their own.
  public struct Waiting: Sendable {
    public let stream: String
    /// Of one event: a row of that table with its key.
    public let bytes: Int
    /// After an event's time, until the watermark has passed it.
    public let reach: TimeSpan
  }

  public let view: String
  /// Of an entity without tiles and events.
  public private(set) var entityBytes = EntityRow.headBytes
  public private(set) var tiles: [Tiles] = []
  /// Of one of the latest events.
  public let eventBytes: Int
  /// So many of an entity's latest events are kept, unless an exact window or the lateness of its events holds more.
  public let eventsKept = ViewState.writtenRowsMax
  /// The longest exact window: its events are all kept.
  public let exactWindow: TimeSpan
  /// Aggregations whose states grow with what they have seen.
  public private(set) var growing: [Growing] = []
  /// Left and right; empty where the view draws from events.
  public let waiting: [Waiting]

  public init(_ view: FeatureView) {
    self.view = view.name
    eventBytes = 16 + 9 * view.columns.count
    waiting = (view.join.map { [$0.left, $0.right] } ?? []).map {
      Waiting(
        stream: $0.name,
        bytes: JoinState.rowBytes(keyParts: $0.key.count, members: $0.members.count),
        reach: $0.reach)
    }
    exactWindow = view.features.map(\.window.rowReach).max() ?? .zero
    var seen: [String: [Window]] = [:]
    var families: [(name: String, feature: Feature, term: Term)] = []
    for feature in view.features {
      for term in [feature.term, feature.divisor].compactMap({ $0 }) {
        let column = term.column.map(String.init) ?? "*"
        let name = "\(term.aggregation.signature) \(column) \(feature.window.grouping)"
        if seen[name] == nil { families.append((name, feature, term)) }
        seen[name, default: []].append(feature.window)
      }
    }
    for (name, feature, term) in families {
      add(term.aggregation, seen[name] ?? [], of: feature)
    }
  }

  /// The section of a family of windows.
  private mutating func add(
    _ aggregation: DeclaredAggregation, _ windows: [Window], of feature: Feature
  ) {
    // Its length.
    entityBytes += 4
    guard windows.contains(where: { $0.rowReach == .zero }) else { return }
    let state = aggregation.stateBytes(StatePlan.sample)
    let larger = aggregation.stateBytes(2 * StatePlan.sample)
    if larger > state {
      growing.append(
        Growing(feature: feature.name, bytesPerValue: (larger - state) / StatePlan.sample))
    }
    // The fold of all rows and that of those before the first: boundary, length, state; the numbers of tiles.
    entityBytes += 2 * (8 + 4 + state) + 4 + 4
    guard case .tiles(let width) = feature.window.grouping else { return }
    // When the first one starts.
    entityBytes += 8
    let reach = windows.compactMap(\.reach).max() ?? .zero
    let most = Int((reach.microseconds - 1) / width.microseconds) + 2
    if let known = tiles.firstIndex(where: { $0.width == width }) {
      tiles[known].bytes += 8 + state
      tiles[known].most = max(tiles[known].most, most)
    } else {
      tiles.append(Tiles(width: width, bytes: 8 + state, most: most))
    }
  }

  /// Values that a state has seen when it is measured.
  private static let sample = 32

  /// An entity to which something happens in each tile, with as many of the latest events as are kept beside them.
  public var entityBytesMost: Int {
    tiles.reduce(entityBytes + eventBytes * eventsKept) { sum, tiles in
      // A window of years in tiles of microseconds is nobody's memory.
      let (bytes, isEndless) = tiles.bytes.multipliedReportingOverflow(by: tiles.most)
      return isEndless ? .max : sum.addingReportingOverflow(bytes).overflow ? .max : sum + bytes
    }
  }
}
