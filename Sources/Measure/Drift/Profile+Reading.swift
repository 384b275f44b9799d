// A profile read back. What does not add up is refused: it decides about alarms.

public import Core

extension Profile {
  /// Bytes of a profile: ten thousand columns of a thousand bins.
  public static let bytesMax = 512 << 20

  /// - Parameter name: how messages name it.
  public static func parse(_ bytes: [UInt8], name: String) throws(Failure) -> Profile {
    do throws(JSONError) {
      return try bytes.withBytes { (text) throws(JSONError) in
        var cursor = JSONCursor(text)
        let profile = try read(&cursor)
        try cursor.finish()
        return profile
      }
    } catch {
      throw .badData(
        "\(name) is no profile: \(error.description)", hint: "rtinfer drift profile makes one")
    }
  }

  private static func read(_ cursor: inout JSONCursor) throws(JSONError) -> Profile {
    let profile = Profile()
    var kind = ""
    var first = true
    try cursor.beginObject()
    while let key = try cursor.nextKey(first: &first) {
      switch key.bytes.string {
      case "kind": kind = try cursor.readString()
      case "version":
        let found = try cursor.readInt()
        guard found == version else {
          throw JSONError("version \(found) is not \(version)", at: cursor.position)
        }
      case "records": profile.records = Int64(try cursor.readInt())
      case "since": profile.since = try time(&cursor)
      case "until": profile.until = try time(&cursor)
      case "every": profile.window = TimeSpan(try cursor.readString())
      case "columns":
        try cursor.beginArray()
        var isFirst = true
        while try cursor.nextElement(first: &isFirst) {
          profile.append(try ColumnProfile.read(&cursor))
        }
      default: try cursor.skipValue()
      }
    }
    guard kind == "profile" else {
      throw JSONError("its kind is '\(kind)'", at: 0)
    }
    for column in profile.columns where profile.absent(column) < 0 {
      throw JSONError(
        "the column '\(column.name)' has more values than there are records", at: 0)
    }
    return profile
  }

  private static func time(_ cursor: inout JSONCursor) throws(JSONError) -> Timestamp {
    let text = try cursor.readString()
    guard let time = Array(text.utf8).withBytes({ Timestamp(rfc3339: $0) }) else {
      throw JSONError("'\(text)' is no time", at: cursor.position)
    }
    return time
  }
}

extension ColumnProfile {
  fileprivate static func read(_ cursor: inout JSONCursor) throws(JSONError) -> ColumnProfile {
    var parts = Parts()
    var first = true
    try cursor.beginObject()
    while let key = try cursor.nextKey(first: &first) {
      try parts.take(key.bytes.string, &cursor)
    }
    return try parts.column(at: cursor.position)
  }

  /// A column's members, in whatever order they stand.
  private struct Parts {
    var name = ""
    var kinds = Kinds()
    var mean = 0.0
    var squares = 0.0
    var minimum = Double.infinity
    var maximum = -Double.infinity
    var isExact = true
    var edges: [Double] = []
    var counts: [Int64] = []
    var categories: [CategoryCounts.Category] = []
    var other: Int64 = 0
    var registers: [UInt8]?
    var windows: [Int64: Moments2] = [:]

    mutating func take(_ key: String, _ cursor: inout JSONCursor) throws(JSONError) {
      switch key {
      case "name": name = try cursor.readString()
      case "mean": mean = try Self.moment(&cursor)
      case "squares": squares = try Self.moment(&cursor)
      case "min": minimum = try cursor.readDouble()
      case "max": maximum = try cursor.readDouble()
      case "exact": isExact = try cursor.readBool()
      case "edges":
        edges = try list(&cursor) { (cursor) throws(JSONError) in try cursor.readDouble() }
      case "counts":
        counts = try list(&cursor) { (cursor) throws(JSONError) in try Self.count(&cursor) }
      case "categories":
        categories = try list(&cursor) { (cursor) throws(JSONError) in try category(&cursor) }
      case "other": other = try Self.count(&cursor)
      case "registers":
        let text = try cursor.readString()
        registers = Array(text.utf8).withBytes { Base64.decode($0) }
        guard let registers, DistinctSketch(registers: registers)?.precision == 12 else {
          throw JSONError("damaged registers", at: cursor.position)
        }
      case "windows":
        let all = try list(&cursor) { (cursor) throws(JSONError) in try window(&cursor) }
        windows = Dictionary(all) { $1 }
      default:
        guard let kind = kindNames.first(where: { $0.name == key }) else {
          return try cursor.skipValue()
        }
        kinds[keyPath: kind.path] = try Self.count(&cursor)
      }
    }

    /// Sums of a million of them are integers, too.
    private static let countMax: Int64 = 1 << 42

    private static func count(_ cursor: inout JSONCursor) throws(JSONError) -> Int64 {
      let count = Int64(try cursor.readInt())
      guard (0...countMax).contains(count) else {
        throw JSONError(
          "a count of \(count), which is not in 0 to \(countMax)", at: cursor.position)
      }
      return count
    }

    /// Null is what was too large to be written.
    private static func moment(_ cursor: inout JSONCursor) throws(JSONError) -> Double {
      guard try cursor.peek() == .null else { return try cursor.readDouble() }
      try cursor.skipValue()
      return .infinity
    }

    private func list<Element>(
      _ cursor: inout JSONCursor,
      _ element: (inout JSONCursor) throws(JSONError) -> Element
    ) throws(JSONError) -> [Element] {
      var result: [Element] = []
      var first = true
      try cursor.beginArray()
      while try cursor.nextElement(first: &first) {
        guard result.count < 1 << 20 else {
          throw JSONError("a list of more than a million", at: cursor.position)
        }
        result.append(try element(&cursor))
      }
      return result
    }

    private func category(
      _ cursor: inout JSONCursor
    ) throws(JSONError) -> CategoryCounts.Category {
      try cursor.beginArray()
      var first = true
      guard try cursor.nextElement(first: &first) else {
        throw JSONError("a category without a name", at: cursor.position)
      }
      let name = try cursor.readString()
      guard try cursor.nextElement(first: &first) else {
        throw JSONError("a category without a count", at: cursor.position)
      }
      let count = try Self.count(&cursor)
      guard try !cursor.nextElement(first: &first) else {
        throw JSONError("a category is a name and a count", at: cursor.position)
      }
      return CategoryCounts.Category(name: name, count: count)
    }

    private func window(_ cursor: inout JSONCursor) throws(JSONError) -> (Int64, Moments2) {
      let numbers = try list(&cursor) { (cursor) throws(JSONError) in try Self.moment(&cursor) }
      guard numbers.count == 4, let start = Int64(exactly: numbers[0]), numbers[1] >= 0 else {
        throw JSONError("a window is a start, a count, a mean and squares", at: cursor.position)
      }
      return (start, Moments2(count: numbers[1], mean: numbers[2], squares: numbers[3]))
    }

    func column(at offset: Int) throws(JSONError) -> ColumnProfile {
      func fault(_ reason: String) -> JSONError {
        JSONError("the column '\(name)': \(reason)", at: offset)
      }
      guard edges.count == counts.count else { throw fault("edges and counts differ in number") }
      guard zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 }) else {
        throw fault("edges that do not ascend")
      }
      guard counts.allSatisfy({ $0 >= 0 }), categories.allSatisfy({ $0.count > 0 }), other >= 0
      else { throw fault("a count below 0") }
      guard counts.reduce(0, +) == kinds.numbers else {
        throw fault("the counts do not add up to its numbers")
      }
      let column = ColumnProfile(name)
      column.kinds = kinds
      column.moments = Moments2(count: Double(kinds.numbers), mean: mean, squares: squares)
      column.minimum = minimum
      column.maximum = maximum
      column.edges = EdgeCounts(edges: edges, counts: counts, isExact: isExact)
      column.categories = CategoryCounts(categories, other: other, registers: registers)
      guard column.categories.total == kinds.texts - kinds.times + kinds.flags else {
        throw fault("the categories do not add up to its texts")
      }
      column.windows = windows
      return column
    }
  }
}
