// What the schema says of a table's columns. A cell has no type of its own: 007 is a number or a text by what is
// declared, and that must be one thing for the whole column, whatever type of event a row is.

public import Core

extension EventSchema {
  /// What is declared of the column; nil where nothing is.
  ///
  /// - Throws: where one type of event has text in this column and another has not.
  public func column(_ name: String) throws(Failure) -> Field? {
    if name == typeMember { return Field(name: name, type: .string) }
    let candidates = fixedType.map { [types[$0]] } ?? types
    var found: (field: Field, type: EventType)?
    for type in candidates {
      guard let field = type.fields.first(where: { $0.name == name }) else { continue }
      guard let first = found else {
        found = (field, type)
        continue
      }
      guard first.field.isText == field.isText else {
        throw .usage(
          "the column '\(name)' is \(first.field.type.rawValue) in '\(first.type.name)' and"
            + " \(field.type.rawValue) in '\(type.name)': what stands in its cells cannot be told",
          hint: "a table of one type of event is read with --type \(first.type.name)")
      }
    }
    return found?.field
  }
}

extension Field {
  /// In JSON its values stand in quotes.
  fileprivate var isText: Bool { type == .string || type == .time && unit == .rfc3339 }
}
