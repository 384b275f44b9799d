// A line on a terminal that says how far long work has come; nothing anywhere else, and nothing in the
// first moment, so that short work stays silent. Costs one counter a record.

public final class Progress {
  private let messages: Messages
  private let clock: any Clock
  private let isShown: Bool
  private let started: UInt64
  private var nextLook: Int
  private var lastShown: UInt64 = 0
  private let step = 4_096
  public private(set) var count = 0

  public init(_ invocation: Invocation) {
    self.messages = invocation.messages
    self.clock = invocation.clock
    self.isShown = invocation.terminal.decorates && !invocation.messages.isQuiet
    self.started = invocation.clock.monotonicNanoseconds()
    self.nextLook = step
  }

  /// So many more records have been worked on.
  public func advance(by records: Int = 1) {
    count += records
    if isShown, count >= nextLook { look() }
  }

  private func look() {
    nextLook = count + step
    let now = clock.monotonicNanoseconds()
    let quarter: UInt64 = 250_000_000
    guard now - started > 2 * quarter, now - lastShown > quarter else { return }
    lastShown = now
    messages.raw("\r\u{1b}[2K\(count.grouped) records, \(rate(now).grouped)/s")
  }

  private func rate(_ now: UInt64) -> Int {
    Int(Double(count) / (Double(max(now - started, 1)) / 1e9))
  }

  /// Seconds since the work began.
  public var elapsedSeconds: Double { Double(clock.monotonicNanoseconds() - started) / 1e9 }

  /// Clears the line.
  public func finish() {
    if lastShown > 0 { messages.raw("\r\u{1b}[2K") }
  }
}

extension Int {
  /// With a thin separator between thousands: 1,234,567.
  public var grouped: String {
    let digits = Array(String(magnitude))
    var text = self < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return text
  }
}
