// registry log, at, verify: what happened, what held then, and whether all of it is still so.

import Core
import Models

enum RegistryHistory {
  static let log = Command(
    name: "registry log",
    summary: "Print everything that happened",
    story: """
      Prints the log's lines as they are, the oldest first: who did what and when, and why; also which promotions \
      a gate refused (kind refusal, action refuse), with the clauses that failed and the values. Each line holds the \
      hash of the one before it; registry verify checks the chain.
      """,
    operands: .word("NAME"),
    flags: RegistryFlags.places,
    examples: [
      .init(
        "rtinfer registry log late_arrival | jq 'select(.alias == \"production\")'", "One alias."),
      .init(
        "rtinfer registry log | jq 'select(.kind == \"refusal\") | [.by, .failed]'",
        "Who wanted what, and why it was not let."),
    ],
    run: runLog)

  static let time = Flag("time", .text("TIME"), "RFC 3339, or a day in UTC: its beginning")

  static let at = Command(
    name: "registry at",
    summary: "Say what every alias stood for at a time",
    story: "Prints a line for each alias as it was then, of all models or of one.",
    operands: .word("NAME"),
    flags: [time] + RegistryFlags.places,
    examples: [
      .init(
        "rtinfer registry at --time 2013-01-08T12:00:00Z late_arrival", "What decided at that time."
      )
    ],
    run: runAt)

  static let verify = Command(
    name: "registry verify",
    summary: "Check every file of the registry",
    story: """
      Reads everything: the log's chain of hashes, what it says of manifests and aliases, and the digest of every \
      file. Ends with 0 if all is as it was written, with 1 and each thing that is wrong otherwise. Changes \
      nothing.
      """,
    operands: .none,
    flags: RegistryFlags.places + [RegistryFlags.wait],
    examples: [.init("rtinfer registry verify", "From cron, so that a flipped bit is told.")],
    run: runVerify)

  private static func runLog(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let log = try RegistryFlags.view(invocation).log()
    guard let name = invocation.options.operands.first else {
      try invocation.write(log)
      return .success
    }
    for line in log.split(separator: UInt8(ascii: "\n")) {
      guard try RegistryView.model(ofLine: Array(line)) == name else { continue }
      try invocation.write(line + [UInt8(ascii: "\n")])
    }
    return .success
  }

  private static func runAt(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    guard let text = try options.value(time) else {
      throw .usage("--time is missing", hint: "rtinfer registry at --time 2013-01-08T12:00:00Z")
    }
    let whole = text.utf8.count == 10 ? "\(text)T00:00:00Z" : text
    guard let moment = Array(whole.utf8).withBytes({ Timestamp(rfc3339: $0) }) else {
      throw .usage(
        "\(options.origin(time)): '\(text)' is not a time",
        hint: "as in 2013-01-05 or 2013-01-05T10:15:00Z")
    }
    let view = try RegistryFlags.view(invocation)
    var models = try view.state(at: moment).models
    if let name = options.operands.first {
      // One that was not there yet had no alias; one that never was is a mistake.
      _ = try view.state().model(name)
      models = models.filter { $0.key == name }
    }
    let output = invocation.output
    for (name, model) in models.sorted(by: { $0.key < $1.key }) {
      for (alias, stack) in model.aliases.sorted(by: { $0.key < $1.key }) {
        guard let number = stack.last, let version = model[number] else { continue }
        output.append("{\"kind\":\"alias\",\"model\":")
        output.appendQuoted(name)
        output.append(",\"alias\":")
        output.appendQuoted(alias)
        output.append(",\"version\":")
        output.append(Int64(number))
        output.append(",\"sha256\":")
        output.appendQuoted(version.digest)
        output.append(",\"time\":")
        output.appendQuoted(moment)
        output.append("}")
        try output.endRecord()
      }
    }
    return .success
  }

  private static func runVerify(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let folder = try RegistryFlags.view(invocation).folder
    // Nobody should change it while it is looked at; where nothing can be written nobody does.
    let held = try RegistryLock.forReading(
      folder, clock: invocation.clock,
      patience: try invocation.options.span(RegistryFlags.wait) ?? .seconds(10),
      pause: { Signals.sleep(milliseconds: $0) })
    defer { withExtendedLifetime(held) {} }
    let found = try RegistryVerification(try RegistryView(folder), isLocked: held != nil)
    for problem in found.problems { invocation.messages.error(problem) }
    let output = invocation.output
    output.append("{\"kind\":\"verification\",\"registry\":")
    output.appendQuoted(folder.path)
    let counts: [(StaticString, Int)] = [
      (",\"lines\":", found.lines), (",\"versions\":", found.versions),
      (",\"blobs\":", found.blobs),
      (",\"blob_bytes\":", found.blobBytes), (",\"problems\":", found.problems.count),
    ]
    for (key, count) in counts {
      output.append(key)
      output.append(Int64(count))
    }
    output.append("}")
    try output.endRecord()
    return found.problems.isEmpty ? .success : .verdictNo
  }
}
