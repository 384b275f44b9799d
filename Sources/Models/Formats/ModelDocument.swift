// A model file that is a tree of members, in text or in bytes, read member by member into the
// caller's own arrays: no tree of values is made, since a model's numbers fill the file and a tree of
// them would cost many times its size. The reader knows where it stands, so that every failure names
// the file and the place:
//
//     model.json: learner.gradient_booster.model.trees[3].left_children: byte 812: expected …

import Core

struct ModelDocument {
  /// The file's name, for messages.
  let source: String
  private var syntax: Syntax
  private var path: [Step] = []

  private enum Syntax {
    case json(JSONCursor)
    case ubjson(UBJSONCursor)
  }

  private enum Step {
    case member(String)
    case element(Int)
  }

  /// - Parameter bytes: must stay valid while the reader is used.
  init(json bytes: Bytes, source: String) {
    self.source = source
    // XGBoost writes `NaN` and `Infinity` as they stand.
    self.syntax = .json(JSONCursor(bytes, allowsNonFinite: true))
  }

  /// - Parameter bytes: must stay valid while the reader is used.
  init(ubjson bytes: Bytes, source: String) {
    self.source = source
    self.syntax = .ubjson(UBJSONCursor(bytes))
  }

  // MARK: Structure

  /// Calls `body` for each member of the object, which must read or skip the value.
  mutating func members(
    _ body: (inout ModelDocument, String) throws(Failure) -> Void
  ) throws(Failure) {
    try read(
      { (json) throws(JSONError) in try json.beginObject() },
      { (ubjson) throws(JSONError) in try ubjson.beginObject() })
    var first = true
    while let name = try nextName(&first) {
      path.append(.member(name))
      try body(&self, name)
      path.removeLast()
    }
  }

  /// Calls `body` for each element of the array, with its position; it must read or skip the value.
  mutating func elements(
    _ body: (inout ModelDocument, Int) throws(Failure) -> Void
  ) throws(Failure) {
    var left = try read(
      { (json) throws(JSONError) -> UBJSONCursor.Elements? in
        try json.beginArray()
        return nil
      },
      { (ubjson) throws(JSONError) -> UBJSONCursor.Elements? in try ubjson.beginArray() })
    var first = true
    var index = 0
    while try nextElement(&first, &left) {
      path.append(.element(index))
      try body(&self, index)
      path.removeLast()
      index += 1
    }
  }

  mutating func finish() throws(Failure) {
    try read(
      { (json) throws(JSONError) in try json.finish() },
      { (ubjson) throws(JSONError) in try ubjson.finish() })
  }

  // MARK: Values

  mutating func kind() throws(Failure) -> JSONKind {
    try read(
      { (json) throws(JSONError) in try json.peek() },
      { (ubjson) throws(JSONError) in try ubjson.peek() })
  }

  mutating func skip() throws(Failure) {
    try read(
      { (json) throws(JSONError) in try json.skipValue() },
      { (ubjson) throws(JSONError) in try ubjson.skipValue() })
  }

  mutating func string() throws(Failure) -> String {
    try read(
      { (json) throws(JSONError) in try json.readString() },
      { (ubjson) throws(JSONError) in try ubjson.readString().string })
  }

  mutating func integer() throws(Failure) -> Int {
    try read(
      { (json) throws(JSONError) in try json.readInt() },
      { (ubjson) throws(JSONError) in try ubjson.readInt() })
  }

  mutating func double() throws(Failure) -> Double {
    try read(
      { (json) throws(JSONError) in try json.readDouble() },
      { (ubjson) throws(JSONError) in try ubjson.readDouble() })
  }

  mutating func bool() throws(Failure) -> Bool {
    try read(
      { (json) throws(JSONError) in try json.readBool() },
      { (ubjson) throws(JSONError) in try ubjson.readBool() })
  }

  /// A parameter: XGBoost writes all of them as strings, `"3"` for 3.
  mutating func parameter() throws(Failure) -> Int {
    guard try kind() == .string else { return try integer() }
    let text = try string()
    guard let value = Int(text) else { throw failure("'\(text)' is not an integer") }
    return value
  }

  mutating func strings() throws(Failure) -> [String] {
    var strings: [String] = []
    try elements { (document, _) throws(Failure) in strings.append(try document.string()) }
    return strings
  }

  // The loops that follow read nearly all bytes of a file.

  /// Replaces what is in `values`.
  mutating func integers(into values: inout [Int]) throws(Failure) {
    values.removeAll(keepingCapacity: true)
    try read(
      { (json) throws(JSONError) in
        try json.beginArray()
        var first = true
        while try json.nextElement(first: &first) { values.append(try json.readInt()) }
      },
      { (ubjson) throws(JSONError) in try ubjson.appendIntegers(to: &values) })
  }

  /// Replaces what is in `values`; each decimal is rounded once, to the nearest 32-bit float.
  mutating func floats(into values: inout [Double]) throws(Failure) {
    values.removeAll(keepingCapacity: true)
    try read(
      { (json) throws(JSONError) in
        try json.beginArray()
        var first = true
        while try json.nextElement(first: &first) { values.append(Double(try json.readFloat())) }
      },
      { (ubjson) throws(JSONError) in
        try ubjson.appendDoubles(to: &values)
        for index in values.indices { values[index] = Double(Float(values[index])) }
      })
  }

  /// Replaces what is in `values`; each decimal is rounded once, to the nearest 64-bit float.
  mutating func doubles(into values: inout [Double]) throws(Failure) {
    values.removeAll(keepingCapacity: true)
    try read(
      { (json) throws(JSONError) in
        try json.beginArray()
        var first = true
        while try json.nextElement(first: &first) { values.append(try json.readDouble()) }
      },
      { (ubjson) throws(JSONError) in try ubjson.appendDoubles(to: &values) })
  }

  /// Replaces what is in `values`; takes 0 and 1 for false and true.
  mutating func bools(into values: inout [Bool]) throws(Failure) {
    values.removeAll(keepingCapacity: true)
    var left = try read(
      { (json) throws(JSONError) -> UBJSONCursor.Elements? in
        try json.beginArray()
        return nil
      },
      { (ubjson) throws(JSONError) -> UBJSONCursor.Elements? in try ubjson.beginArray() })
    var first = true
    while try nextElement(&first, &left) {
      guard try kind() == .number else {
        values.append(try bool())
        continue
      }
      let value = try integer()
      guard value == 0 || value == 1 else { throw failure("expected 0 or 1, found \(value)") }
      values.append(value == 1)
    }
  }

  // MARK: Failures

  /// A failure at the value that is being read.
  func failure(_ reason: String, hint: String? = nil) -> Failure {
    .badData("\(source): \(place)\(reason)", hint: hint)
  }

  private var place: String {
    guard !path.isEmpty else { return "" }
    var text = ""
    for step in path {
      switch step {
      case .member(let name): text += text.isEmpty ? name : "." + name
      case .element(let index): text += "[\(index)]"
      }
    }
    return text + ": "
  }

  // MARK: The cursors' steps

  /// One step in whichever syntax; its failure gets the place.
  @inline(__always)
  private mutating func read<Value>(
    _ json: (inout JSONCursor) throws(JSONError) -> Value,
    _ ubjson: (inout UBJSONCursor) throws(JSONError) -> Value
  ) throws(Failure) -> Value {
    do throws(JSONError) {
      switch syntax {
      case .json(var cursor):
        let value = try json(&cursor)
        syntax = .json(cursor)
        return value
      case .ubjson(var cursor):
        let value = try ubjson(&cursor)
        syntax = .ubjson(cursor)
        return value
      }
    } catch {
      throw failure(error.description)
    }
  }

  private mutating func nextElement(
    _ first: inout Bool, _ left: inout UBJSONCursor.Elements?
  ) throws(Failure) -> Bool {
    try read(
      { (json) throws(JSONError) in try json.nextElement(first: &first) },
      { (ubjson) throws(JSONError) in
        var elements = left!
        defer { left = elements }
        return try ubjson.nextElement(&elements)
      })
  }

  private mutating func nextName(_ first: inout Bool) throws(Failure) -> String? {
    try read(
      { (json) throws(JSONError) in
        guard let name = try json.nextKey(first: &first) else { return nil }
        guard name.escaped else { return name.bytes.string }
        // CatBoost's names of tables are JSON themselves. Read as a value, with its quotes.
        var quoted = JSONCursor(Bytes(base: name.bytes.base - 1, count: name.bytes.count + 2))
        return try quoted.readString()
      },
      { (ubjson) throws(JSONError) in try ubjson.nextKey()?.string })
  }
}
