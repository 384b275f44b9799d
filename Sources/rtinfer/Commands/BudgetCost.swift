// budget cost: what a thousand decisions cost, what a year does, and whether what real-time is worth pays for it.

import Core
import Measure

enum BudgetCost {
  static let rate = Flag(
    "mean-rate", .text("RANGE"), "Decisions a second, averaged over the year", default: "1")
  static let replicas = Flag("replicas", .text("RANGE"), "Machines that run", default: "1")
  static let hourly = Flag(
    "hourly", .text("RANGE"), "Cost of a machine for an hour", default: "0")
  static let storage = Flag("storage", .text("RANGE"), "Gigabytes that are kept", default: "0")
  static let storagePrice = Flag(
    "storage-price", .text("RANGE"), "Cost of a gigabyte for a month", default: "0")
  static let people = Flag(
    "people", .text("RANGE"), "Full-time people who keep it running", default: "0")
  static let salary = Flag(
    "salary", .text("RANGE"), "Cost of one of them for a year", default: "0")
  static let building = Flag(
    "build", .text("RANGE"), "Cost of building it, once", default: "0")
  static let years = Flag("years", .text("N"), "Over which building is spread", default: "3")
  static let value = Flag(
    "value", .text("RANGE"), "What real-time adds to a thousand decisions",
    default: "as bench ab found, where its records are named")
  static let format = Flag(
    "format", .choice(["table", "ndjson"]), "How to say it",
    default: "a table on a terminal, else ndjson")

  static let command = Command(
    name: "budget cost",
    summary: "Say what decisions cost, and whether their worth pays for it",
    story: """
      Adds up a year: machines, storage, people, and a year's part of building it. Every figure may be a range, as in \
      0.2..0.3, and what comes of it is one: the lowest with the lowest, the highest with the highest. All money is in \
      one unit of your own, that of the project's values.

      What real-time adds is --value, for a thousand decisions, or the verdict that bench ab wrote (files, - is \
      stdin): its interval, divided by its decisions. Of several batches the first counts, as there. Prints the cost \
      of a thousand decisions and of a year, the value, the return (what is left by what is spent), when building \
      has paid itself back, and the rate from which on it is even.

      Ends with 1 when it surely does not pay, with 5 when the ranges cannot say, with 0 when it pays or no value is \
      given.
      """,
    operands: .files,
    flags: [
      rate, replicas, hourly, storage, storagePrice, people, salary, building, years, value,
      format,
    ] + CommonFlags.records,
    examples: [
      .init(
        "rtinfer budget cost --mean-rate 120 --replicas 3 --hourly 0.2 --people 0.1..0.3 --salary 90000",
        "A thousand decisions, and a year."),
      .init(
        "rtinfer bench ab events.ndjson | rtinfer budget cost --mean-rate 2 --hourly 0.2 --build 20000 -",
        "Against what real-time is worth."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    var inputs = try inputs(options)
    let worth = try worth(invocation)
    inputs.value = worth?.perThousand ?? inputs.value
    let cost = DecisionCost(inputs)
    guard cost.ownership.upperBound > 0 else {
      throw .usage(
        "nothing costs anything", hint: "--hourly 0.2, --people 0.2 --salary 90000, --build 20000")
    }
    let report = BudgetCostReport(cost: cost, assumption: worth?.assumption)
    let isTerminal = invocation.terminal.outputIsTerminal
    if try options.value(format) ?? (isTerminal ? "table" : "ndjson") == "table" {
      invocation.output.append(report.table)
    } else {
      report.append(to: invocation.output)
    }
    try invocation.output.flush()
    switch cost.answer {
    case .fail: return .verdictNo
    case .inconclusive: return .inconclusive
    default: return worth?.status ?? .success
    }
  }

  // MARK: Inputs

  private static func inputs(_ options: Options) throws(Failure) -> DecisionCost.Inputs {
    var inputs = DecisionCost.Inputs()
    inputs.rate = try range(options, rate, above: 0) ?? 1...1
    inputs.replicas = try range(options, replicas) ?? 1...1
    inputs.hourly = try range(options, hourly) ?? 0...0
    inputs.storageGigabytes = try range(options, storage) ?? 0...0
    inputs.storagePrice = try range(options, storagePrice) ?? 0...0
    inputs.people = try range(options, people) ?? 0...0
    inputs.salary = try range(options, salary) ?? 0...0
    inputs.building = try range(options, building) ?? 0...0
    inputs.years = try options.number(years, in: 0.1...100) ?? 3
    inputs.value = try range(options, value, mayBeNegative: true)
    for (amount, price) in [(storage, storagePrice), (people, salary)]
    where options.isTyped(amount) != options.isTyped(price) {
      throw .usage("--\(amount.name) and --\(price.name) go together: how much, and at what cost")
    }
    return inputs
  }

  /// "3" or "2..4".
  private static func range(
    _ options: Options, _ flag: Flag, above: Double? = nil, mayBeNegative: Bool = false
  ) throws(Failure) -> DecisionCost.Range? {
    guard let text = try options.value(flag) else { return nil }
    let parts: [Substring]
    if let dots = text.firstRange(of: "..") {
      parts = [text[..<dots.lowerBound], text[dots.upperBound...]]
    } else {
      parts = [text[...]]
    }
    let numbers = parts.compactMap { Double($0) }.filter { abs($0) <= 1e15 }
    guard numbers.count == parts.count, let low = numbers.first, let high = numbers.last,
      low <= high
    else {
      throw .usage(
        "\(options.origin(flag)): '\(text)' is neither a number nor a range",
        hint: "0.2, or 0.2..0.3")
    }
    guard mayBeNegative || low >= 0, above.map({ low > $0 }) ?? true else {
      throw .usage(
        "\(options.origin(flag)): \(low.plain) is not \(above == nil ? "0 or more" : "above 0")")
    }
    return low...high
  }

  // MARK: What bench ab found

  private struct Worth {
    let perThousand: DecisionCost.Range
    let assumption: String?
    let status: ExitStatus
  }

  private static func worth(_ invocation: Invocation) throws(Failure) -> Worth? {
    let options = invocation.options
    guard !options.operands.isEmpty else { return nil }
    guard !options.isTyped(value) else {
      throw .usage("--value and the records of bench ab both say what real-time adds; name one")
    }
    let records = WorthRecords()
    let status = try RecordLines.read(invocation, options.operands) { records.take($0) }
    guard let verdict = records.verdict else {
      throw Failure(.inconclusive, "no record is a verdict of bench ab")
    }
    guard !verdict.isNet else {
      throw .usage(
        "bench ab took costs of the arms off already, and here they would count twice",
        hint: "run bench ab without 'cost' in its arms; budget cost takes the costs off")
    }
    guard verdict.isMoney else {
      throw .usage(
        "bench ab counted right decisions, not their value",
        hint: "declare the project's values, or say --value: what real-time adds to a thousand")
    }
    guard let interval = verdict.interval, verdict.count > 0 else {
      throw Failure(.inconclusive, "bench ab could not say what real-time is worth: \(verdict.why)")
    }
    let scale = 1e3 / Double(verdict.count)
    return Worth(
      perThousand: interval.lowerBound * scale...interval.upperBound * scale,
      assumption: verdict.assumption, status: status)
  }
}
