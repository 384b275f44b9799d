// What names mean is not the language's business: the owner of the records says at which slot a
// member's value will lie and of which type it is.

/// Where a name finds its value: a slot of the record's scalars, with a static type.
public struct Binding: Sendable, Equatable {
  /// Index into the scalars that `Expression.evaluate` is given.
  public let slot: Int
  /// A value of another type is read as null, except that an integer in a double's slot is widened.
  public let type: ValueType

  public init(slot: Int, type: ValueType) {
    precondition(slot >= 0 && slot <= Int(Int32.max), "a slot is an index")
    self.slot = slot
    self.type = type
  }
}

/// The names that an expression may use.
public struct Scope {
  /// What "did you mean" chooses from; dotted where a name has several parts.
  let names: [String]
  let resolve: (_ path: [String]) -> Binding?

  /// - Parameters:
  ///   - names: the known names, dotted, for suggestions only.
  ///   - resolve: finds a member path (`dep_delay` or `user`, `id`); nil means unknown. It is asked
  ///     only while an expression is compiled.
  public init(names: [String], resolve: @escaping (_ path: [String]) -> Binding?) {
    self.names = names
    self.resolve = resolve
  }

  /// Another scope's names, where this one knows nothing.
  public func followed(by other: Scope) -> Scope {
    extended(by: other.names, resolve: other.resolve)
  }

  /// The same with further names, which are asked where this scope knows nothing.
  public func extended(
    by names: [String], resolve: @escaping (_ path: [String]) -> Binding?
  ) -> Scope {
    let known = self.resolve
    return Scope(names: self.names + names.filter { !self.names.contains($0) }) { path in
      known(path) ?? resolve(path)
    }
  }
}
