// drift check: records against a profile, column by column.

import Core
import Measure
import Models

enum DriftCheck {
  static let reference = Flag(
    "reference", .file, "The profile to compare with, or models:/… for that of a version")
  static let current = Flag(
    "current", .file, "Compare this profile instead of records (counted at edges of its own)")
  static let measure = Flag(
    "measure", .choice(DriftMeasure.allCases.filter { $0.bounds != nil }.map(\.rawValue)),
    "The distance that decides", default: "psi")
  static let watchAt = Flag(
    "watch-at", .text("X"), "The distance from which on a column is worth watching",
    default: "0.1 for psi")
  static let driftAt = Flag(
    "drift-at", .text("X"), "The distance from which on a column has drifted",
    default: "0.25 for psi")
  static let level = Flag(
    "level", .text("P"), "False alarms that are allowed among alarms, over all columns",
    default: "0.01")
  static let least = Flag(
    "least", .text("N"), "Values that a column needs on both sides", default: "30")
  static let share = Flag(
    "share", .text("S"),
    "The share of columns, by importance if given, above which the whole has drifted",
    default: "0: any")
  static let weights = Flag(
    "weights", .file, "What score --importance prints: the weights of the columns")
  static let prediction = Flag(
    "prediction", .text("NAME,…"), "The columns with a model's answers", default: "score,margin")
  static let output = Flag(
    "as", .choice(["auto", "table", "ndjson", "junit"]),
    "How verdicts are written; auto is a table on a terminal, else records", default: "auto")

  static let rules = [
    measure, watchAt, driftAt, level, least, share, weights, prediction,
  ]

  static let command = Command(
    name: "drift check",
    summary: "Compare records with a profile: ok, watch or drift",
    story: """
      Reads records and compares each column with the reference: PSI, KL, Jensen–Shannon, Hellinger, L∞ and \
      chi-squared over bins; for numbers also Kolmogorov–Smirnov, Cramér–von Mises and the Wasserstein distance, \
      plainly and so that outliers cannot move it. A column has drifted if the distance that decides is at \
      least --drift-at and more than chance explains: its p-value, corrected over all columns \
      (Benjamini–Hochberg), is at most --level. From the PSI that which two samples of one distribution have \
      is taken off. Missing values, new and vanished columns and categories, changed types and values out of range are \
      told beside it, and count. The mean of a prediction has drifted if it is more than two standard \
      deviations of its reference windows (drift profile --every) away.

      Records are counted at the reference's edges, so that large columns are compared exactly. Bins are the \
      reference's deciles, fewer for fewer than 100 values; each of at most 20 different numbers is a bin of its own.

      With --record the figures become metrics of a registered version: the largest of the distance that decides, \
      by its name (psi), and how many columns have drifted (drifted_columns) and are worth watching \
      (watched_columns).

      The whole has drifted if more than --share of the columns have. Ends with 0 (ok or watch), 1 (drift) or 5 (too \
      little data).
      """,
    operands: .files,
    flags: [reference, current] + rules + [output, PageFile.html] + DriftInput.flags + [
      DriftInput.every
    ]
      + CommonFlags.records + RegistryRecord.flags,
    examples: [
      .init(
        "rtinfer drift check --reference january.profile february.ndjson", "Has anything moved?"),
      .init(
        "rtinfer drift check --reference training.profile --under inputs decisions.ndjson",
        "Does the model get what it was trained on? view:feature and view__feature are one name."),
      .init(
        "rtinfer drift check --reference jan.profile --as junit feb.ndjson > drift.xml",
        "For a build server."),
      .init(
        "rtinfer drift check --reference jan.profile --html drift.html feb.ndjson",
        "For people: the distributions overlaid, the worst first."),
      .init(
        "rtinfer drift check --reference jan.profile --record models:/late/3 feb.ndjson",
        "For promote … --require 'psi < 0.2'."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    guard let path = try options.value(reference) else {
      throw .usage(
        "no reference is named",
        hint:
          "rtinfer drift profile january.ndjson > january.profile; then --reference january.profile"
      )
    }
    let rules = try rules(invocation)
    let record = try RegistryRecord(invocation)
    let profile = try chosen(path, invocation)
    let rejects = try Rejects(invocation)
    let (found, records) = try found(invocation, profile, rejects)
    let report = DriftReport(profile, found, rules)
    try write(report, invocation)
    try PageFile.write(invocation) { report.appendPage(to: $0) }
    let status = try rejects.finish(total: records)
    if let record {
      if report.verdict != .insufficient, status == .success {
        try record.write(metrics(report), source: "drift check \(path)", invocation)
      } else {
        invocation.messages.note("nothing is recorded of what is too little or was rejected")
      }
    }
    switch report.verdict {
    case .drift: return .verdictNo
    case .insufficient: return .inconclusive
    case .ok, .watch: return status
    }
  }

  private static func metrics(_ report: DriftReport) -> [String: Double] {
    var metrics = [
      "drifted_columns": Double(report.columns.count { $0.verdict == .drift }),
      "watched_columns": Double(report.columns.count { $0.verdict == .watch }),
    ]
    metrics[report.rules.measure.rawValue] = report.columns.compactMap(\.effect).max()
    return metrics
  }

  static func found(
    _ invocation: Invocation, _ reference: Profile, _ rejects: Rejects
  ) throws(Failure) -> (profile: Profile, records: Int) {
    guard let path = try invocation.options.value(current) else {
      return try DriftInput.profile(
        invocation, invocation.options.operands, like: reference, rejects)
    }
    guard invocation.options.operands.isEmpty else {
      throw .usage("--current and records are both named: '\(invocation.options.operands[0])'")
    }
    for flag in [DriftInput.under, DriftInput.every] where invocation.options.isTyped(flag) {
      throw .usage(
        "--current and --\(flag.name) are both given: a profile's columns and windows are settled",
        hint: "give --\(flag.name) to drift profile")
    }
    return (try chosen(path, invocation), 0)
  }

  /// A profile's columns that are asked for.
  static func chosen(
    _ path: String, _ invocation: Invocation
  ) throws(Failure) -> Profile {
    let options = invocation.options
    let profile = try DriftProfile.read(path, invocation)
    let hasColumns = !profile.columns.isEmpty
    profile.keep(where: try DriftInput.choice(options).keeps)
    guard hasColumns, profile.columns.isEmpty, (try options.value(DriftInput.columns)) != nil else {
      return profile
    }
    throw .usage("\(options.origin(DriftInput.columns)): the profile has none of these columns")
  }

  private static func write(_ report: DriftReport, _ invocation: Invocation) throws(Failure) {
    let output = invocation.output
    switch try invocation.options.value(Self.output) ?? "auto" {
    case "table": output.append(report.table())
    case "junit": output.append(report.junit())
    case "ndjson": report.appendVerdicts(to: output)
    default:
      if invocation.terminal.outputIsTerminal {
        output.append(report.table())
      } else {
        report.appendVerdicts(to: output)
      }
    }
    try output.flush()
  }

  // MARK: Rules

  static func rules(_ invocation: Invocation) throws(Failure) -> DriftRules {
    let options = invocation.options
    var rules = DriftRules()
    rules.measure =
      try options.value(measure).flatMap(DriftMeasure.init(rawValue:)) ?? rules.measure
    let bounds = rules.measure.bounds ?? (rules.watchAt, rules.driftAt)
    rules.watchAt = try options.number(watchAt, in: 0...1e9) ?? bounds.watch
    rules.driftAt = try options.number(driftAt, in: 0...1e9) ?? max(bounds.drift, rules.watchAt)
    guard rules.watchAt <= rules.driftAt else {
      throw .usage(
        "\(options.origin(watchAt)): \(rules.watchAt.plain) is above --drift-at,"
          + " \(rules.driftAt.plain)")
    }
    rules.level = try options.number(level, in: 1e-12...0.5) ?? rules.level
    rules.least = Int64(try options.integer(least, in: 2...1_000_000_000) ?? Int(rules.least))
    rules.share = try options.number(share, in: 0...1) ?? rules.share
    if let names = try options.value(prediction) {
      rules.predictions = Set(names.split(separator: ",").map(String.init))
    }
    if let path = try options.value(Self.weights) {
      rules.weights = try readWeights(path, invocation)
    }
    return rules
  }

  /// By input: the share of all gain, or whatever the model's library calls important.
  private static func readWeights(
    _ path: String, _ invocation: Invocation
  ) throws(Failure) -> [String: Double] {
    var plan = FieldPlan()
    let input = plan.slot(["input"])
    let candidates = ["total_gain", "gain", "PredictionValuesChange", "weight"].map {
      plan.slot([$0])
    }
    let scanner = RecordScanner(plan)
    let reader = LineReader(try DescriptorSource.file(path))
    var weights: [String: Double] = [:]
    while let line = try reader.next() {
      do throws(JSONError) {
        try scanner.scan(line.bytes, padding: LineReader.padding)
      } catch {
        throw .badData("\(path):\(line.number): \(error.description)")
      }
      let value = candidates.compactMap { scanner.scalar($0)?.number }.first
      guard scanner.raw(input).kind == .string, let value else {
        throw .badData(
          "\(path):\(line.number): no importance of an input",
          hint: "rtinfer score --model FILE --importance > \(path)")
      }
      weights[DriftReport.canonical(scanner.text(input).string)] = abs(value)
    }
    return weights
  }
}
