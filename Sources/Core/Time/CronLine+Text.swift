// Reads a line of cron. What cron accepts and nobody means is refused with the name of its field: a step that comes only
// once, a range that goes down, a day that none of the months has.

extension CronLine {
  public struct Mistake: Error, Equatable {
    public let message: String
    public let hint: String
  }

  private struct Field {
    let name: String
    let values: ClosedRange<Int>
    /// Of the first values, in order.
    var words: [String] = []
  }

  private static let fields = [
    Field(name: "minute", values: 0...59), Field(name: "hour", values: 0...23),
    Field(name: "day of month", values: 1...31),
    Field(
      name: "month", values: 1...12,
      words: [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
      ]),
    Field(
      name: "day of week", values: 0...7,
      words: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
  ]

  private static let nicknames = [
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
  ]

  /// What is offered to who has written another.
  public static let expectation =
    "minute, hour, day of month, month and day of week, as in '15 * * * *' or '0 2 * * mon-fri'"

  /// Whether a text can be nothing but a line of cron, right or wrong: it has several words, or a nickname.
  public static func isMeant(by text: String) -> Bool {
    let words = text.split(whereSeparator: \.isWhitespace)
    return words.count > 1 || words.first?.hasPrefix("@") == true
  }

  public init(_ text: String) throws(Mistake) {
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    let written = words.joined(separator: " ")
    var parts = words
    if words.count == 1, words[0].hasPrefix("@") {
      guard let line = CronLine.nicknames[words[0].lowercased()] else {
        throw Mistake(
          message: "'\(words[0])' is no schedule of cron",
          hint: "@hourly, @daily, @weekly, @monthly or @yearly")
      }
      parts = line.split(separator: " ").map(String.init)
    }
    guard parts.count == CronLine.fields.count else {
      throw Mistake(
        message: "'\(written)' has \(parts.count) fields, and a line of cron has 5",
        hint: CronLine.expectation)
    }
    var sets: [UInt64] = []
    for (field, part) in zip(CronLine.fields, parts) {
      sets.append(try CronLine.set(field, part))
    }
    // Sunday has two numbers.
    let weekdays = (sets[4] | (sets[4] >> 7)) & 0x7f
    try CronLine.check(days: sets[2], parts[2], months: sets[3], parts[3])
    self.init(
      text: written, minutes: sets[0], hours: sets[1], days: sets[2], months: sets[3],
      weekdays: weekdays, needsBothDays: parts[2].hasPrefix("*") || parts[4].hasPrefix("*"))
  }

  /// Whether any month has any of the days.
  private static func check(
    days: UInt64, _ dayText: String, months: UInt64, _ monthText: String
  ) throws(Mistake) {
    let isThere = (1...12).contains { month in
      // In a leap year.
      let last = CivilDate.daysInMonth(month, of: 2000)
      return (months >> UInt64(month)) & 1 == 1 && days & ((2 << UInt64(last)) - 1) != 0
    }
    guard !isThere else { return }
    throw Mistake(
      message: "day of month: no month of '\(monthText)' has a day '\(dayText)'",
      hint: "February has 28 or 29 days; April, June, September and November have 30")
  }

  // MARK: A field

  private static func set(_ field: Field, _ text: String) throws(Mistake) -> UInt64 {
    var set: UInt64 = 0
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      let range = try range(field, String(words[0]))
      var step = 1
      if words.count == 2 {
        step = try self.step(field, String(words[1]), of: String(words[0]))
      }
      for value in stride(from: range.lowerBound, through: range.upperBound, by: step) {
        set |= 1 << UInt64(value)
      }
    }
    return set
  }

  private static func range(_ field: Field, _ text: String) throws(Mistake) -> ClosedRange<Int> {
    // 7 is Sunday again.
    if text == "*" { return field.values.lowerBound...min(field.values.upperBound, last(field)) }
    let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let low = try value(field, String(ends[0]))
    guard ends.count == 2 else { return low...low }
    let high = try value(field, String(ends[1]))
    guard low <= high else {
      throw Mistake(
        message: "\(field.name): '\(text)' goes down",
        hint: "what goes over the end is two ranges with a comma: '\(ends[0])-\(last(field)),"
          + "\(field.values.lowerBound)-\(ends[1])'")
    }
    return low...high
  }

  /// The last value that is no other's second number.
  private static func last(_ field: Field) -> Int {
    field.name == "day of week" ? 6 : field.values.upperBound
  }

  private static func step(
    _ field: Field, _ text: String, of range: String
  ) throws(Mistake) -> Int {
    guard range == "*" || range.contains("-") else {
      throw Mistake(
        message: "\(field.name): '\(range)/\(text)' is a step of one value",
        hint: "a step is of '*' or of a range: '\(range)-\(last(field))/\(text)'")
    }
    guard text.utf8.count <= 4, let step = Int(text),
      text.utf8.allSatisfy({ (48...57).contains($0) }),
      (1...last(field)).contains(step)
    else {
      throw Mistake(
        message: "\(field.name): '\(text)' is no step of 1 to \(last(field))",
        hint: "'*/2' is every second one; what comes only once is told by its number")
    }
    return step
  }

  private static func value(_ field: Field, _ text: String) throws(Mistake) -> Int {
    if let word = field.words.firstIndex(of: text.lowercased()) {
      return field.values.lowerBound + word
    }
    guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }),
      let value = Int(text), field.values.contains(value)
    else {
      let names = field.words.isEmpty ? "" : " or \(field.words[0]) to \(field.words.last!)"
      throw Mistake(
        message: "\(field.name): '\(text)' is not \(field.values.lowerBound) to"
          + " \(field.values.upperBound)\(names)",
        hint: "a field is '*', values, ranges 'a-b' with commas between, and steps '*/n'")
    }
    return value
  }
}
