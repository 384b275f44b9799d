// Bad records: counted, written away whole so that nothing is lost, shown to people a few at a time. What
// `--rejects` holds can be piped into `rtinfer ingest` again once the cause is mended.
//
//     {"kind":"rejected","reason":"…","source":"a.ndjson","line":17,"byte":2048,"raw":"…"}

/// How many rejected records are tolerated.
public enum RejectAllowance: Sendable, Equatable {
  case count(Int)
  /// Percent of all records.
  case share(Double)

  /// "10" or "0.5%"; nil for anything else.
  public init?(_ text: String) {
    if text.last == "%" {
      guard let share = Double(text.dropLast()), (0...100).contains(share) else { return nil }
      self = .share(share)
    } else {
      guard let count = Int(text), count >= 0 else { return nil }
      self = .count(count)
    }
  }

  func covers(_ rejected: Int, of total: Int) -> Bool {
    switch self {
    case .count(let bound): rejected <= bound
    case .share(let percent): Double(rejected) * 100 <= percent * Double(total)
    }
  }
}

public final class Rejects {
  /// Nil where nobody is told.
  private let messages: Messages?
  private let allowance: RejectAllowance
  private let stopsAtFirst: Bool
  private let file: OutputBuffer?
  public private(set) var count = 0
  /// Told of each, for who has to answer its sender.
  public var onRejection: ((_ reason: String, _ line: Int) -> Void)?

  /// From `--rejects`, `--max-rejects` and `--strict`.
  public init(_ invocation: Invocation) throws(Failure) {
    let options = invocation.options
    self.messages = invocation.messages
    self.stopsAtFirst = options.isOn(CommonFlags.strict)
    let allowed = try options.value(CommonFlags.maxRejects) ?? "0"
    guard let allowance = RejectAllowance(allowed) else {
      throw .usage(
        "\(options.origin(CommonFlags.maxRejects)): '\(allowed)' is not a count or a percentage"
          + " from 0% to 100%")
    }
    self.allowance = allowance
    self.file = try options.value(CommonFlags.rejects).map { (path) throws(Failure) in
      OutputBuffer(try OutputFile.sink(path))
    }
  }

  private init() {
    messages = nil
    allowance = .count(.max)
    stopsAtFirst = false
    file = nil
  }

  /// One that only counts, for records that are read once more.
  public static func silent() -> Rejects { Rejects() }

  /// A record that cannot be used. Throws if the stream should stop here.
  ///
  /// - Parameter raw: the line as it came, or its beginning if it was too long; nil where it may hold what
  ///   must not be written.
  public func add(
    _ reason: String, source: String, line: Int, byte: Int, raw: Bytes?
  ) throws(Failure) {
    count += 1
    onRejection?(reason, line)
    let text = "\(source):\(line): \(reason)"
    if let file {
      Rejects.append(reason, source, line, byte, raw, to: file)
      try file.endRecord()
    }
    if stopsAtFirst { throw .badData("\(text) (--strict)") }
    if count <= Limits.rejectsShownMax { messages?.error(text) }
  }

  private static func append(
    _ reason: String, _ source: String, _ line: Int, _ byte: Int, _ raw: Bytes?,
    to output: OutputBuffer
  ) {
    output.append("{\"kind\":\"rejected\",\"reason\":")
    output.appendQuoted(reason)
    output.append(",\"source\":")
    output.appendQuoted(source)
    output.append(",\"line\":")
    output.append(Int64(line))
    output.append(",\"byte\":")
    output.append(Int64(byte))
    guard let raw else {
      return output.append(",\"raw_withheld\":true}")
    }
    if String(validating: raw.buffer, as: UTF8.self) != nil {
      output.append(",\"raw\":")
      output.appendQuoted(raw)
    } else {
      output.append(",\"raw_base64\":\"")
      Base64.encode(raw) { output.append($0) }
      output.append(UInt8(ascii: "\""))
    }
    output.append(UInt8(ascii: "}"))
  }

  public func flush() throws(Failure) { try file?.flush() }

  /// To be called at the end of the stream: the status that the rejected records lead to.
  ///
  /// - Parameter total: records read, the rejected ones included.
  public func finish(total: Int) throws(Failure) -> ExitStatus {
    try flush()
    if count > Limits.rejectsShownMax {
      messages?.error("… and \((count - Limits.rejectsShownMax).grouped) more rejected records")
    }
    return allowance.covers(count, of: total) ? .success : .badData
  }
}
