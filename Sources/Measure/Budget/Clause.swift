// What a budget promises, clause by clause:
//
//     p99 < 50ms && features.p99.9 < 15ms && errors < 0.1% && p99 < 80ms over 10s
//     ────────────  ──────────────────────
//     metric < bound       layer.metric             every window of ten seconds keeps it
//
// A metric that is not known, a bound without its unit, a word too many: an error that names it. A gate that takes
// a misspelt clause for one that holds is worse than none.

public import Core

public struct Clause: Sendable, Equatable {
  /// What a latency is of.
  public enum Subject: Sendable, Equatable {
    case total, service
    /// Index into `LayerTiming.names`.
    case layer(Int)

    public var name: String {
      switch self {
      case .total: "latency"
      case .service: "service"
      case .layer(let index): LayerTiming.names[index]
      }
    }
  }

  public enum Metric: Sendable, Equatable {
    case percentile(Subject, Double)
    case mean(Subject)
    case maximum(Subject)
    /// Share of requests that failed.
    case errors
    /// Share of requests that did not.
    case availability
    /// How many times faster than allowed the errors are used up: the share of errors by the allowed one.
    case burn
    /// Requests a second.
    case rate
    case count
  }

  public let text: String
  public let metric: Metric
  /// The value must stay below the bound, or above it.
  public let isUpperBound: Bool
  /// Nanoseconds, a share, a factor, requests a second, requests.
  public let bound: Double
  /// Each stretch of this length must keep it, not only the whole.
  public let window: TimeSpan?
  /// A broken one is told and breaks nothing.
  public var isWarning = false

  public init(
    _ metric: Metric, isUpperBound: Bool, bound: Double, text: String, window: TimeSpan? = nil,
    isWarning: Bool = false
  ) {
    self.metric = metric
    self.isUpperBound = isUpperBound
    self.bound = bound
    self.text = text
    self.window = window
    self.isWarning = isWarning
  }

  public var isLatency: Bool {
    switch metric {
    case .percentile, .mean, .maximum: true
    default: false
    }
  }

  /// Of requests: how many may be slower than the bound, or fail; nil where the clause is of no such share.
  ///
  /// - Parameter allowed: share of errors that `burn` counts against.
  func allowedShare(errors allowed: Double) -> Double? {
    switch metric {
    case .percentile(_, let percent): 1 - percent / 100
    case .errors: bound
    case .availability: 1 - bound
    case .burn: min(1, bound * allowed)
    case .mean, .maximum, .rate, .count: nil
    }
  }

  // MARK: Reading

  /// All clauses of a text.
  ///
  /// - Parameter origin: for messages.
  public static func parse(_ text: String, origin: String) throws(Failure) -> [Clause] {
    var clauses: [Clause] = []
    var rest = Substring(text)
    while true {
      let end = rest.firstRange(of: "&&")
      let part = rest[..<(end?.lowerBound ?? rest.endIndex)]
      clauses.append(try ClauseReader(part, origin).clause())
      guard let end else { return clauses }
      rest = rest[end.upperBound...]
    }
  }

  static let metricWords = [
    "p50", "p90", "p95", "p99", "p99.9", "max", "mean", "errors", "availability", "burn", "rate",
    "count",
  ]
}

/// One clause out of its words.
private struct ClauseReader {
  let text: String
  let origin: String

  init(_ text: Substring, _ origin: String) {
    self.text = text.split(separator: " ").joined(separator: " ")
    self.origin = origin
  }

  private func wrong(_ message: String, _ hint: String? = nil) -> Failure {
    .usage(
      "\(origin): in '\(text)': \(message)",
      hint: hint ?? "as in 'p99 < 50ms && features.p99 < 15ms && errors < 0.1%'")
  }

  func clause() throws(Failure) -> Clause {
    guard !text.isEmpty else {
      throw .usage("\(origin): an empty clause", hint: "as in 'p99 < 50ms && errors < 0.1%'")
    }
    guard let signStart = text.firstIndex(where: { "<>=!".contains($0) }) else {
      throw wrong("there is no comparison")
    }
    let sign = text[signStart...].prefix { "<>=!".contains($0) }
    guard ["<", "<=", ">", ">="].contains(sign) else {
      throw wrong("'\(sign)' is none of <, <=, >, >=")
    }
    let metric = try metric(trimmed(text[..<signStart]))
    let words = text[sign.endIndex...].split(separator: " ").map(String.init)
    guard let boundText = words.first else { throw wrong("there is no bound") }
    let bound = try bound(boundText, of: metric)
    let window = try window(Array(words.dropFirst()), of: metric)
    let isUpper = sign.first == "<"
    try checkDirection(metric, isUpper)
    return Clause(metric, isUpperBound: isUpper, bound: bound, text: text, window: window)
  }

  private func trimmed(_ text: Substring) -> String {
    text.split(separator: " ").joined(separator: " ")
  }

  private func metric(_ name: String) throws(Failure) -> Clause.Metric {
    var (subject, word) = (Clause.Subject.total, name)
    // The dot of `p99.9` follows a digit.
    if let dot = name.firstIndex(of: "."), name[..<dot].allSatisfy(\.isLetter) {
      let owner = String(name[..<dot])
      subject = try self.subject(owner)
      word = String(name[name.index(after: dot)...])
    }
    if word.first == "p", let percent = Double(word.dropFirst()) {
      guard percent > 0, percent < 100 else {
        throw wrong("a percentile lies between p0 and p100; 'max' is the largest")
      }
      return .percentile(subject, percent)
    }
    switch word {
    case "max": return .maximum(subject)
    case "mean": return .mean(subject)
    default: break
    }
    let others: [String: Clause.Metric] = [
      "errors": .errors, "availability": .availability, "burn": .burn, "rate": .rate,
      "count": .count,
    ]
    guard let metric = others[word] else {
      let nearest = Spelling.nearest(word, among: Clause.metricWords)
      throw wrong(
        "'\(name)' is not a metric",
        nearest.map { "did you mean '\($0)'?" }
          ?? "known are pN, max, mean (also as LAYER.pN), errors, availability, burn, rate, count")
    }
    guard subject == .total else { throw wrong("'\(word)' is of requests, not of a layer") }
    return metric
  }

  private func subject(_ name: String) throws(Failure) -> Clause.Subject {
    if name == "latency" || name == "total" { return .total }
    if name == "service" { return .service }
    guard let index = LayerTiming.names.firstIndex(of: name) else {
      let known = LayerTiming.names + ["latency", "service"]
      throw wrong(
        "'\(name)' is not a layer",
        Spelling.nearest(name, among: known).map { "did you mean '\($0)'?" }
          ?? "known are \(known.joined(separator: ", "))")
    }
    return .layer(index)
  }

  private func bound(_ text: String, of metric: Clause.Metric) throws(Failure) -> Double {
    switch metric {
    case .percentile, .mean, .maximum:
      guard let span = TimeSpan(text), span > .zero else {
        throw wrong("'\(text)' is not a duration with its unit, as in 50ms")
      }
      return Double(span.microseconds) * 1e3
    case .errors, .availability:
      guard let share = ClauseReader.share(text) else {
        throw wrong("'\(text)' is not a share: 0.1% or 0.001")
      }
      return share
    case .burn, .count:
      guard let number = Double(text), number.isFinite, number >= 0 else {
        throw wrong("'\(text)' is not a number")
      }
      return number
    case .rate:
      let digits = text.hasSuffix("/s") ? String(text.dropLast(2)) : text
      guard let number = Double(digits), number.isFinite, number >= 0 else {
        throw wrong("'\(text)' is not a rate, as in 2000/s")
      }
      return number
    }
  }

  static func share(_ text: String) -> Double? {
    let number = text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
    guard let number, (0...1).contains(number) else { return nil }
    return number
  }

  private func window(_ words: [String], of metric: Clause.Metric) throws(Failure) -> TimeSpan? {
    guard let first = words.first else { return nil }
    guard first == "over", words.count == 2 else {
      throw wrong(
        "'\(words.joined(separator: " "))' after the bound: only 'over DURATION' may stand there")
    }
    guard let span = TimeSpan(words[1]), span >= TimeSpan(microseconds: 1_000) else {
      throw wrong("'\(words[1])' is not a duration of 1ms or more")
    }
    switch metric {
    case .percentile(.total, _), .errors, .availability, .burn: return span
    default:
      throw wrong("windows are for percentiles of the latency, errors, availability and burn")
    }
  }

  private func checkDirection(_ metric: Clause.Metric, _ isUpper: Bool) throws(Failure) {
    switch metric {
    case .errors, .burn, .percentile, .mean, .maximum:
      guard isUpper else { throw wrong("a promise here is an upper bound: <") }
    case .availability:
      guard !isUpper else { throw wrong("a promise here is a lower bound: >") }
    case .rate, .count: return
    }
  }
}

extension Clause {
  /// "0.1%" or 0.001 as a share; nil for anything else.
  public static func share(_ text: String) -> Double? { ClauseReader.share(text) }
}
