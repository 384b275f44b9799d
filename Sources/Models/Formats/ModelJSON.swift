// A JSON model file, read member by member into the caller's own arrays: no tree of values is made,
// since a model's numbers fill the file and a tree of them would cost many times its size. The
// reader knows where it stands, so that every failure names the file and the place:
//
//     model.json: learner.gradient_booster.model.trees[3].left_children: byte 812: expected …

import Core

struct ModelJSON {
  /// The file's name, for messages.
  let source: String
  private var cursor: JSONCursor
  private var path: [Step] = []

  private enum Step {
    case member(String)
    case element(Int)
  }

  /// - Parameter bytes: must stay valid while the reader is used.
  init(_ bytes: Bytes, source: String) {
    self.source = source
    // XGBoost writes `NaN` and `Infinity` as they stand.
    self.cursor = JSONCursor(bytes, allowsNonFinite: true)
  }

  // MARK: Structure

  /// Calls `body` for each member of the object, which must read or skip the value.
  mutating func members(
    _ body: (inout ModelJSON, String) throws(Failure) -> Void
  ) throws(Failure) {
    try beginObject()
    var first = true
    while let name = try nextName(&first) {
      path.append(.member(name))
      try body(&self, name)
      path.removeLast()
    }
  }

  /// Calls `body` for each element of the array, with its position; it must read or skip the value.
  mutating func elements(
    _ body: (inout ModelJSON, Int) throws(Failure) -> Void
  ) throws(Failure) {
    try beginArray()
    var first = true
    var index = 0
    while try nextElement(&first) {
      path.append(.element(index))
      try body(&self, index)
      path.removeLast()
      index += 1
    }
  }

  mutating func finish() throws(Failure) {
    do throws(JSONError) { try cursor.finish() } catch { throw failure(error) }
  }

  // MARK: Values

  mutating func skip() throws(Failure) {
    do throws(JSONError) { try cursor.skipValue() } catch { throw failure(error) }
  }

  mutating func string() throws(Failure) -> String {
    do throws(JSONError) { return try cursor.readString() } catch { throw failure(error) }
  }

  mutating func integer() throws(Failure) -> Int {
    do throws(JSONError) { return try cursor.readInt() } catch { throw failure(error) }
  }

  /// A parameter: XGBoost writes all of them as strings, `"3"` for 3.
  mutating func parameter() throws(Failure) -> Int {
    let raw: JSONRaw
    do throws(JSONError) { raw = try cursor.rawValue() } catch { throw failure(error) }
    guard raw.kind == .string || raw.kind == .number, let value = JSONNumber.integer(raw.bytes)
    else { throw failure("'\(raw.bytes.string)' is not an integer") }
    return Int(value)
  }

  mutating func strings() throws(Failure) -> [String] {
    var strings: [String] = []
    try elements { (json, _) throws(Failure) in strings.append(try json.string()) }
    return strings
  }

  // The three loops that follow read nearly all bytes of a file.

  /// Replaces what is in `values`.
  mutating func integers(into values: inout [Int]) throws(Failure) {
    values.removeAll(keepingCapacity: true)
    do throws(JSONError) {
      try cursor.beginArray()
      var first = true
      while try cursor.nextElement(first: &first) { values.append(try cursor.readInt()) }
    } catch { throw failure(error) }
  }

  /// Replaces what is in `values`; each decimal is rounded once, to the nearest 32-bit float.
  mutating func floats(into values: inout [Double]) throws(Failure) {
    values.removeAll(keepingCapacity: true)
    do throws(JSONError) {
      try cursor.beginArray()
      var first = true
      while try cursor.nextElement(first: &first) { values.append(Double(try cursor.readFloat())) }
    } catch { throw failure(error) }
  }

  /// Replaces what is in `values`; takes 0 and 1 for false and true.
  mutating func bools(into values: inout [Bool]) throws(Failure) {
    values.removeAll(keepingCapacity: true)
    do throws(JSONError) {
      try cursor.beginArray()
      var first = true
      while try cursor.nextElement(first: &first) {
        guard try cursor.peek() == .number else {
          values.append(try cursor.readBool())
          continue
        }
        let start = cursor.position
        let value = try cursor.readInt()
        guard value == 0 || value == 1 else {
          throw JSONError("expected 0 or 1, found \(value)", at: start)
        }
        values.append(value == 1)
      }
    } catch { throw failure(error) }
  }

  // MARK: Failures

  /// A failure at the value that is being read.
  func failure(_ reason: String, hint: String? = nil) -> Failure {
    .badData("\(source): \(place)\(reason)", hint: hint)
  }

  private func failure(_ error: JSONError) -> Failure { failure(error.description) }

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

  // MARK: The cursor's steps

  private mutating func beginObject() throws(Failure) {
    do throws(JSONError) { try cursor.beginObject() } catch { throw failure(error) }
  }

  private mutating func beginArray() throws(Failure) {
    do throws(JSONError) { try cursor.beginArray() } catch { throw failure(error) }
  }

  private mutating func nextElement(_ first: inout Bool) throws(Failure) -> Bool {
    do throws(JSONError) {
      return try cursor.nextElement(first: &first)
    } catch { throw failure(error) }
  }

  /// A name with escapes is handed out as it stands: no member that a loader looks for has any.
  private mutating func nextName(_ first: inout Bool) throws(Failure) -> String? {
    do throws(JSONError) {
      return try cursor.nextKey(first: &first)?.bytes.string
    } catch { throw failure(error) }
  }
}
