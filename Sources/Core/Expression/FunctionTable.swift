// The functions of the language as data: the checker, "did you mean" and `rtinfer help expressions`
// all read this one table. A new function is a line here, a case in `Operation` and its code in
// `Functions`.

/// A function of the expression language.
struct FunctionEntry: Sendable {
  enum Parameter: Sendable {
    case anything, number, string, time, numberOrString

    var article: String {
      switch self {
      case .anything: "any value"
      case .number: "a number"
      case .string: "a string"
      case .time: "a time"
      case .numberOrString: "a number or a string"
      }
    }

    /// Null and what is known only at run time fit everywhere.
    func accepts(_ type: ValueType) -> Bool {
      switch (self, type) {
      case (.anything, _), (_, .any), (_, .null): true
      case (.number, .int), (.number, .double): true
      case (.string, .string), (.time, .time): true
      case (.numberOrString, .int), (.numberOrString, .double), (.numberOrString, .string): true
      default: false
      }
    }
  }

  enum Result: Sendable {
    case always(ValueType)
    /// The type that all arguments share; int with double is double.
    case shared
  }

  let name: String
  let operation: Operation
  let parameters: [Parameter]
  /// The last parameter may be repeated.
  var repeats = false
  let result: Result
  let signature: String
  let summary: String

  /// Written `s.name(…)`, as CEL does for text; `size` may be written either way.
  var isMethod: Bool { signature.hasPrefix("s.") }
  func allows(method: Bool) -> Bool { method == isMethod || operation == .size }
}

extension FunctionEntry {
  static let all: [FunctionEntry] = [
    make("has", .isNotNull, [.anything], .always(.bool), "has(x)", "true if x is not null"),
    FunctionEntry(
      name: "coalesce", operation: .coalesce, parameters: [.anything, .anything], repeats: true,
      result: .shared, signature: "coalesce(a, b, …)", summary: "the first that is not null"),
    make("int", .toInt, [.numberOrString], .always(.int), "int(x)", "towards zero; or from text"),
    make("double", .toDouble, [.numberOrString], .always(.double), "double(x)", "or from text"),

    make("size", .size, [.string], .always(.int), "size(s) or s.size()", "Unicode code points"),
    make(
      "startsWith", .startsWith, [.string, .string], .always(.bool), "s.startsWith(t)", "bytewise"),
    make("endsWith", .endsWith, [.string, .string], .always(.bool), "s.endsWith(t)", "bytewise"),
    make("contains", .contains, [.string, .string], .always(.bool), "s.contains(t)", "bytewise"),
    make("lowerAscii", .lowerAscii, [.string], .always(.string), "s.lowerAscii()", "A-Z to a-z"),
    make("upperAscii", .upperAscii, [.string], .always(.string), "s.upperAscii()", "a-z to A-Z"),
    make("trim", .trim, [.string], .always(.string), "s.trim()", "without white space at the ends"),

    make("year", .year, [.time], .always(.int), "year(t)", "the year, UTC"),
    make("month", .month, [.time], .always(.int), "month(t)", "1 to 12, UTC"),
    make("day_of_month", .dayOfMonth, [.time], .always(.int), "day_of_month(t)", "1 to 31, UTC"),
    make("day_of_week", .dayOfWeek, [.time], .always(.int), "day_of_week(t)", "0 is Sunday, UTC"),
    make("day_of_year", .dayOfYear, [.time], .always(.int), "day_of_year(t)", "1 to 366, UTC"),
    make("hour", .hour, [.time], .always(.int), "hour(t)", "0 to 23, UTC"),
    make("minute", .minute, [.time], .always(.int), "minute(t)", "0 to 59, UTC"),
    make(
      "epoch_seconds", .epochSeconds, [.time], .always(.double), "epoch_seconds(t)", "since 1970"),

    make("abs", .abs, [.number], .shared, "abs(x)", "without its sign"),
    make("sign", .sign, [.number], .shared, "sign(x)", "-1, 0 or 1"),
    make("floor", .floor, [.number], .shared, "floor(x)", "the next whole number below"),
    make("ceil", .ceil, [.number], .shared, "ceil(x)", "the next whole number above"),
    make("round", .round, [.number], .shared, "round(x)", "the nearest; half away from zero"),
    make("sqrt", .sqrt, [.number], .always(.double), "sqrt(x)", "null below 0"),
    make("exp", .exp, [.number], .always(.double), "exp(x)", "e to the power of x"),
    make("log", .log, [.number], .always(.double), "log(x)", "natural; null unless x > 0"),
    make("log10", .log10, [.number], .always(.double), "log10(x)", "null unless x > 0"),
    make("log1p", .log1p, [.number], .always(.double), "log1p(x)", "log(1 + x), exact near 0"),
    make("pow", .pow, [.number, .number], .always(.double), "pow(x, y)", "x to the power of y"),
    FunctionEntry(
      name: "min", operation: .min, parameters: [.number, .number], repeats: true,
      result: .shared, signature: "min(a, b, …)", summary: "the least; null if any is null"),
    FunctionEntry(
      name: "max", operation: .max, parameters: [.number, .number], repeats: true,
      result: .shared, signature: "max(a, b, …)", summary: "the greatest; null if any is null"),
    make(
      "clamp", .clamp, [.number, .number, .number], .shared, "clamp(x, low, high)",
      "x kept within low … high; null if low > high"),
  ]

  private static func make(
    _ name: String, _ operation: Operation, _ parameters: [Parameter], _ result: Result,
    _ signature: String, _ summary: String
  ) -> FunctionEntry {
    FunctionEntry(
      name: name, operation: operation, parameters: parameters, result: result,
      signature: signature, summary: summary)
  }
}

extension Expression {
  /// Every function of the language, in the order in which help shows them.
  public static let functions: [(signature: String, summary: String)] =
    FunctionEntry.all.map { ($0.signature, $0.summary) }
}
