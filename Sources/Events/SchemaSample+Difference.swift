// A declared schema held against a sample: what came that is not declared, what is declared and did not come, and
// what came otherwise.

import Core

public struct SchemaDifference: Equatable {
  public enum Change: String, Sendable {
    /// A type that is not declared.
    case newType = "new type"
    /// A member that is not declared.
    case new
    /// A declared member that no event has.
    case gone
    /// A required member that some events lack.
    case missing
    /// Values of another type than declared.
    case retyped
    /// Numbers outside the declared bounds.
    case outOfBounds = "out of bounds"
  }

  public let type: String
  /// Empty for a whole type.
  public let member: String
  public let change: Change
  /// As a project file would say it; nil where nothing is declared, or nothing came.
  public let declared: String?
  public let found: String?
  /// Of the type's events, how many show it.
  public let events: Int
}

extension SchemaSample {
  /// What in the sample is not as declared, in the sample's order.
  public func differences(from schema: EventSchema) -> [SchemaDifference] {
    var differences: [SchemaDifference] = []
    for kind in kinds {
      let index = kind.name.isEmpty && schema.types.count == 1 ? 0 : schema.index(of: kind.name)
      if let index {
        differences += self.differences(kind, schema.types[index])
      } else {
        differences.append(
          SchemaDifference(
            type: kind.name, member: "", change: .newType, declared: nil, found: nil,
            events: kind.count))
      }
    }
    return differences
  }

  private func differences(_ kind: EventKind, _ type: EventType) -> [SchemaDifference] {
    var differences: [SchemaDifference] = []
    func add(
      _ member: String, _ change: SchemaDifference.Change, _ declared: String?, _ found: String?,
      _ events: Int
    ) {
      differences.append(
        SchemaDifference(
          type: type.name, member: member, change: change, declared: declared, found: found,
          events: events))
    }
    let known = type.fields.map(\.name) + [type.timeMember] + [type.idMember].compactMap { $0 }
    for field in type.fields {
      let text = field.type.rawValue + (field.isOptional ? "?" : "")
      guard let member = kind[field.name] else {
        add(field.name, .gone, text, nil, kind.count)
        continue
      }
      if !member.fits(field) {
        add(field.name, .retyped, text, member.type.rawValue, member.count)
      } else if let bounds = field.boundsBroken(by: member) {
        add(field.name, .outOfBounds, bounds.declared, bounds.found, member.count)
      }
      if !field.isOptional, member.count < kind.count {
        add(field.name, .missing, text, nil, kind.count - member.count)
      }
    }
    for member in kind.members where !known.contains(member.name) {
      let text = member.type.rawValue + (member.count < kind.count ? "?" : "")
      add(member.name, .new, nil, text, member.count)
    }
    return differences
  }
}

extension Field {
  fileprivate func boundsBroken(
    by member: SchemaSample.Member
  ) -> (declared: String, found: String)? {
    guard type == .integer || type == .number else { return nil }
    let (low, high) = (minimum ?? -.infinity, maximum ?? .infinity)
    guard member.minimum < low || member.maximum > high else { return nil }
    let declared = [minimum.map { "min \($0.plain)" }, maximum.map { "max \($0.plain)" }]
    return (
      declared.compactMap { $0 }.joined(separator: ", "),
      "min \(member.minimum.plain), max \(member.maximum.plain)"
    )
  }
}
