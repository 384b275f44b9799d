// Values that were computed elsewhere: a table with entity, time and values (a nightly customer table) is the source
// of features without windows.
//
//     customer: {
//       entity: ["card"], ttl: "30d",
//       table: { time: "as_of", fields: { card: "string", as_of: "time", tier: "string", limit: "number?" } },
//       features: { tier: "tier", limit: { value: "limit", min: 0 } } }
//
// A question at time q is answered from the entity's newest row with a time ≤ q, as long as that is not older than
// the ttl (Feast's rule; without a ttl no row is too old). Of rows of one time the later in the file counts. The row
// counts as a whole: a null in it is a null, not the value of an older row. Rows are declared as events are, and features
// as derived ones are; the file itself is named when the project runs, `--table customer=customers.csv`, since it is another
// one each night.
//
// Views over events may read a table's features too (`customer__tier`): see `Enrichment`.

public import Core
import Events

public final class TableView: Sendable {
  public let name: String
  /// The members whose values together name an entity: of the rows, and of what asks.
  public let entity: [String]
  /// Of the rows.
  public let fields: [Field]
  let rowType: EventType
  let ttl: TimeSpan?
  let features: [TableFeature]

  /// What its values depend on, as text.
  var definition: String {
    let fields = rowType.fields.map { "\($0.name):\($0.type.rawValue):\($0.unit.rawValue)" }
    return
      ([
        name, "\(entity)", "\(ttl?.description ?? "")", rowType.timeMember,
        rowType.timeUnit.rawValue,
      ]
      + fields + features.map { "\($0.columnName)=\($0.text.json())" }).joined(separator: " ")
  }

  private init(
    name: String, entity: [String], rowType: EventType, ttl: TimeSpan?, features: [TableFeature]
  ) {
    self.name = name
    self.entity = entity
    self.fields = rowType.fields
    self.rowType = rowType
    self.ttl = ttl
    self.features = features
  }
}

struct TableFeature: Sendable {
  /// As in `view:feature`.
  let name: String
  let columnName: String
  /// Over the members of a row.
  let text: ConfigNode
  let type: ValueType
  let valueGuard: FeatureGuard?
}

extension TableView {
  /// Whether a member of the project file's `features` draws from a table.
  static func isDeclared(_ node: ConfigNode) -> Bool { node["table"] != nil }

  /// One member of the project file's `features`.
  convenience init(_ member: ConfigNode.Member) throws(Failure) {
    let node = member.node
    try node.allow(["entity", "table", "ttl", "features"])
    try FeatureView.checkName(member.key, node)
    let table = try node.required("table")
    try table.allow(["time", "time_unit", "fields"])
    _ = try table.required("fields")
    let rowType = try EventType(try node.members().first { $0.key == "table" }!)
    let scope = EventSchema(types: [rowType], fixedType: 0).scope(of: 0)
    var features: [TableFeature] = []
    for feature in try node.required("features").members() {
      features.append(try TableFeature(feature, view: member.key, scope))
    }
    guard !features.isEmpty else { throw node.failure("a view has at least one feature") }
    let entityNode = try node.required("entity")
    let entity = try entityNode.strings()
    guard !entity.isEmpty else { throw entityNode.failure("an entity has at least one member") }
    for name in entity where !rowType.fields.contains(where: { $0.name == name }) {
      throw entityNode.failure("'\(name)' is not a field of the table")
    }
    self.init(
      name: member.key, entity: entity, rowType: rowType,
      ttl: try node["ttl"]?.span(atLeast: TimeSpan(microseconds: 1)), features: features)
  }
}

extension TableView {
  /// A text is never equal to a number: an entity of another type than the events' would never be found.
  fileprivate func mismatch(_ type: EventType) -> (row: Field, event: Field)? {
    for name in entity {
      guard let row = fields.first(where: { $0.name == name }),
        let event = type.fields.first(where: { $0.name == name }),
        row.type != .any, event.type != .any
      else { continue }
      let areNumbers = [row, event].allSatisfy { $0.type == .integer || $0.type == .number }
      if row.type != event.type, !areNumbers { return (row, event) }
    }
    return nil
  }

  func checkEntity(_ node: ConfigNode, against schema: EventSchema) throws(Failure) {
    for type in schema.types {
      guard let (row, event) = mismatch(type) else { continue }
      throw (node["entity"] ?? node).failure(
        "'\(row.name)' is of type \(row.type.rawValue) in the table and \(event.type.rawValue) in the events of"
          + " '\(type.name)': they would never be equal")
    }
  }
}

extension TableFeature {
  fileprivate init(
    _ member: ConfigNode.Member, view: String, _ row: Scope
  ) throws(Failure) {
    var node = member.node
    try FeatureView.checkName(member.key, node)
    var valueGuard: FeatureGuard?
    if case .object = node.value {
      try node.allow(["value"] + FeatureGuard.keys)
      valueGuard = try FeatureGuard(node)
      node = try node.required("value")
    }
    self.init(
      name: "\(view):\(member.key)", columnName: "\(view)__\(member.key)", text: node,
      type: try node.expression(scope: row).type, valueGuard: valueGuard)
  }
}
