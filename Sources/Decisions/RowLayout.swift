// Where in a row the things lie that a decision reads. Two layouts are understood:
//
//     a features record   {"kind":"features","request":{"distance":719},"features":{"view:feature":3}}
//     a plain row         {"distance":719,"view__feature":3}, or a line of CSV
//
// Inputs and rules are compiled once for each; which one a row has is seen from its kind.

import Core

/// The members that decisions read, by slot, with how their values are converted.
final class RowSlots {
  private(set) var plan = FieldPlan()
  /// A declared type for a slot; others are taken by their own JSON type.
  private(set) var fields: [Int: Field] = [:]
  /// Slots that take over another slot's value when their own is missing: the second spelling of a feature.
  private(set) var aliases: [(slot: Int, from: Int)] = []

  func slot(_ path: [String], field: Field? = nil) -> Int {
    let slot = plan.slot(path)
    if let field { fields[slot] = field }
    return slot
  }

  func alias(_ slot: Int, from other: Int) { aliases.append((slot, other)) }
}

enum RowLayout: Sendable, CaseIterable {
  case features, plain

  /// The slot of a member of what asked for the decision.
  func member(_ path: [String], _ slots: RowSlots, _ schema: RequestSchema) -> (Int, ValueType)? {
    let place = self == .features ? ["request"] + path : path
    if path == ["time"] || path == [schema.timeMember] {
      let unit = self == .features ? .rfc3339 : schema.timeUnit
      let top = self == .features ? "time" : schema.timeMember
      let field = Field(name: schema.timeMember, type: .time, isOptional: true, unit: unit)
      return (slots.slot([top], field: field), .time)
    }
    if let declared = schema.fields.first(where: { $0.name == path[0] }) {
      guard path.count == 1 else {
        return declared.type == .any ? (slots.slot(place), .any) : nil
      }
      // A missing member is the model's business (a missing value), not a reason to reject the row.
      let field = Field(
        name: declared.name, type: declared.type, isOptional: true, unit: declared.unit)
      return (slots.slot(place, field: field), declared.type.valueType)
    }
    guard schema.fields.isEmpty || path == [schema.idMember ?? ""] else { return nil }
    return (slots.slot(place), .any)
  }

  /// The slot of a feature, found under either spelling.
  func feature(_ name: String, _ slots: RowSlots) -> Int {
    let prefix = self == .features ? ["features"] : []
    let slot = slots.slot(prefix + [name])
    slots.alias(slot, from: slots.slot(prefix + [FeatureName.column(name)]))
    return slot
  }

  /// The names that inputs and rules may use. `extra` are values that the decision itself adds.
  func scope(
    _ slots: RowSlots, _ schema: RequestSchema, extra: [String: Binding] = [:]
  ) -> Scope {
    let columns = Dictionary(
      schema.features.map { (FeatureName.column($0), $0) }, uniquingKeysWith: { first, _ in first })
    let names =
      schema.fields.map(\.name) + [schema.timeMember] + columns.keys.sorted() + extra.keys.sorted()
    return Scope(names: names) { path in
      if path.count == 1, let binding = extra[path[0]] { return binding }
      if path.count == 1, let feature = columns[path[0]] {
        return Binding(slot: self.feature(feature, slots), type: .any)
      }
      return member(path, slots, schema).map { Binding(slot: $0.0, type: $0.1) }
    }
  }
}

/// One value for each layout.
struct PerLayout<Value> {
  private let features: Value
  private let plain: Value

  init(_ make: (RowLayout) throws(Failure) -> Value) throws(Failure) {
    features = try make(.features)
    plain = try make(.plain)
  }

  private init(features: Value, plain: Value) { (self.features, self.plain) = (features, plain) }

  subscript(layout: RowLayout) -> Value { layout == .features ? features : plain }

  func map<Other>(_ transform: (Value) -> Other) -> PerLayout<Other> {
    PerLayout<Other>(features: transform(features), plain: transform(plain))
  }
}
