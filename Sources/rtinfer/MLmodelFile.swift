// The file `MLmodel` of a folder that MLflow wrote: which file in it is the model.
//
//     flavors:
//       xgboost:
//         data: model.ubj
//         model_format: ubj
//
// Of YAML that is what is understood: the member `data` of a flavour, each on a line of its own below the line
// `flavors:`, at whatever indentation, with lists, comments and deeper members in between. What could be meant otherwise
// (tabs, a line between two indentations, a value in braces or over several lines) is refused by its line.

import Core

enum MLmodelFile {
  private static let flavours = ["xgboost", "lightgbm", "catboost", "onnx"]

  /// - Parameter source: for messages.
  /// - Throws: a data failure that names the line, or what flavours there are.
  static func modelFile(of text: String, source: String) throws(Failure) -> String {
    var reader = Reader(source: source)
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      if let file = try reader.take(line, number: index + 1) { return file }
    }
    if let flavour = reader.seen.first(where: flavours.contains) {
      throw .badData("\(source): the flavour '\(flavour)' names no file: it has no member 'data'")
    }
    throw .badData(
      "\(source): no model of a flavour that is read here (\(flavours.joined(separator: ", "))); it has"
        + " \(reader.seen.isEmpty ? "none" : reader.seen.joined(separator: ", "))")
  }

  /// What is known at a line by those above it.
  private struct Reader {
    let source: String
    private var isInFlavours = false
    /// Where flavours begin, and where the members of the one above do.
    private var flavourIndent: Int?
    private var memberIndent: Int?
    private(set) var seen: [String] = []

    init(source: String) { self.source = source }

    /// - Returns: the file, where this line names it.
    mutating func take(_ line: Substring, number: Int) throws(Failure) -> String? {
      let place = "\(source):\(number)"
      let indent = line.prefix { $0 == " " }.count
      let content = line.dropFirst(indent)
      // An item of a list may stand as far left as what it belongs to.
      if content.isEmpty || content.first == "#" || content.first == "-" { return nil }
      guard !isInFlavours || content.first != "\t" else {
        throw .badData("\(place): a tab in the indentation, which YAML does not allow")
      }
      let (key, value) = MLmodelFile.parts(content)
      if indent == 0 {
        isInFlavours = key == "flavors"
        (flavourIndent, memberIndent) = (nil, nil)
        if isInFlavours, !value.isEmpty { throw MLmodelFile.notBlock(value, "flavors", place) }
        return nil
      }
      guard isInFlavours else { return nil }
      let outer = flavourIndent ?? indent
      flavourIndent = outer
      if indent == outer {
        memberIndent = nil
        seen.append(key)
        if !value.isEmpty, flavours.contains(key) {
          throw MLmodelFile.notBlock(value, key, place)
        }
        return nil
      }
      let inner = memberIndent ?? indent
      memberIndent = inner
      guard indent > outer, indent >= inner else {
        throw .badData(
          "\(place): indented by \(indent), where flavours are by \(outer) and their members by \(inner)"
        )
      }
      guard indent == inner, key == "data", flavours.contains(seen.last ?? "") else { return nil }
      guard let first = value.first, !"|>{[&*!".contains(first) else {
        throw .badData("\(place): 'data' of \(seen.last ?? "") is no file's name on one line")
      }
      return value
    }
  }

  private static func notBlock(_ value: String, _ key: String, _ place: String) -> Failure {
    .badData(
      "\(place): '\(key)' has '\(value.prefix(40))' behind it, where its members are expected below it"
    )
  }

  /// A key and the value on its line, without quotes and comment.
  private static func parts(_ content: Substring) -> (key: String, value: String) {
    let halves = content.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    var value = halves.count > 1 ? halves[1].drop { $0 == " " } : ""
    if let quote = value.first, quote == "'" || quote == "\"" {
      return (trimmed(halves[0]), String(value.dropFirst().prefix { $0 != quote }))
    }
    if value.first == "#" { value = "" }
    if let comment = value.firstRange(of: " #") { value = value[..<comment.lowerBound] }
    return (trimmed(halves[0]), trimmed(value))
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while let last = text.last, " \t".contains(last) { text.removeLast() }
    if let quote = text.first, text.count > 1, quote == text.last, "'\"".contains(quote) {
      text = text.dropFirst().dropLast()
    }
    return String(text)
  }
}
