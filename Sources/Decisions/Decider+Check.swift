// Requests held against what is declared of them, before any work. A request that passes costs a conversion for each
// declared member; of one that does not every fault is named at once, so that its maker mends it in one go.

public import Core

/// A declared member and where it lies.
struct MemberCheck {
  let field: Field
  let slot: Int

  static func all(_ schema: RequestSchema, _ slots: RowSlots) -> [RowLayout: [MemberCheck]] {
    var checks: [RowLayout: [MemberCheck]] = [:]
    for layout in RowLayout.allCases {
      checks[layout] = schema.fields.map { field in
        MemberCheck(
          field: field,
          slot: slots.slot(layout == .features ? ["request", field.name] : [field.name]))
      }
    }
    // Members that are read, though no field declares them.
    for name in [schema.timeMember, schema.idMember].compactMap({ $0 }) + ["type"] {
      _ = slots.slot([name])
    }
    return checks
  }
}

/// What is wrong with one member of a request.
public struct MemberFault: Sendable, Equatable {
  /// Nil: with the request as a whole.
  public let member: String?
  public let reason: String

  public init(member: String?, reason: String) {
    self.member = member
    self.reason = reason
  }
}

extension Decider {
  /// Holds the row that was read against the schema.
  ///
  /// - Throws: the first fault; `faults` finds all.
  public func check(_ kind: RowKind) throws(BadRecord) {
    for check in checks[kind.layout] ?? [] {
      _ = try check.field.convert(scanner.scalar(check.slot), scanner.raw(check.slot))
    }
    if let knownMembers, let member = scanner.firstMember(outside: knownMembers) {
      throw BadRecord("the member '\(member)' is not declared")
    }
  }

  /// Everything that is wrong with a row that was refused, in the order of the declarations.
  public func faults(_ line: Bytes, padding: Int = 0) -> [MemberFault] {
    do throws(JSONError) {
      try scanner.scan(line, padding: padding)
    } catch {
      return [MemberFault(member: nil, reason: "not JSON: \(error.description)")]
    }
    let kind: RowKind
    do throws(BadRecord) {
      kind = try marks.kind(scanner)
    } catch {
      return [MemberFault(member: nil, reason: error.reason)]
    }
    let declared = checks[kind.layout] ?? []
    var faults: [MemberFault] = []
    for check in declared { note(fault(check.slot, as: check.field), &faults) }
    let seen = Set(declared.map(\.slot))
    for slot in 0..<slotCount where !seen.contains(slot) {
      note(fault(slot, as: fields[slot], of: kind), &faults)
    }
    if knownMembers != nil {
      for name in scanner.memberNames where scanner.plan.paths.allSatisfy({ $0[0] != name }) {
        faults.append(
          MemberFault(member: name, reason: "the member '\(name)' is not declared"))
      }
    }
    return faults
  }

  private func note(_ fault: MemberFault?, _ faults: inout [MemberFault]) {
    if let fault { faults.append(fault) }
  }

  /// What is wrong with a declared member.
  private func fault(_ slot: Int, as field: Field) -> MemberFault? {
    do throws(BadRecord) {
      _ = try field.convert(scanner.scalar(slot), scanner.raw(slot))
      return nil
    } catch {
      return MemberFault(member: field.name, reason: error.reason)
    }
  }

  /// What is wrong with a member that is read without being declared, as `read` and `gather` would find it.
  private func fault(_ slot: Int, as field: Field?, of kind: RowKind) -> MemberFault? {
    if let field { return fault(slot, as: field) }
    let path = scanner.plan.paths[slot].joined(separator: ".")
    let raw = scanner.raw(slot)
    guard let value = scanner.scalar(slot) else {
      return MemberFault(
        member: path,
        reason: "the member '\(path)' is beyond the range of a double: \(raw.excerpt)")
    }
    guard inputSlots[kind.layout].contains(slot) else { return nil }
    if raw.kind == .array || raw.kind == .object {
      return MemberFault(
        member: path,
        reason: "the member '\(path)' is \(raw.kind.name), not a value: \(raw.excerpt)")
    }
    guard plainInputs(kind).contains(slot), value.number == nil, !value.isNull else { return nil }
    return MemberFault(
      member: path, reason: "the input '\(path)' is not a number: \(raw.excerpt)")
  }
}
