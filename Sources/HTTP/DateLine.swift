// The Date field, which every reply has (RFC 9110 section 6.6.1) and which changes once a second: made then, not
// for each reply.

import Core

final class DateLine {
  private let output = OutputBuffer(MemorySink(), capacity: 64)
  private var second: Int64 = .min

  /// `Date: Sun, 06 Nov 1994 08:49:37 GMT⏎`; valid until the next `refresh`.
  var line: Bytes { output.pending }

  init() { refresh(Timestamp(microseconds: 0)) }

  func refresh(_ now: Timestamp) {
    let current = now.microseconds / 1_000_000
    guard current != second else { return }
    second = current
    write(current)
  }

  private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private func write(_ second: Int64) {
    let (day, rest) = (Int(second) / 86_400, Int(second) % 86_400)
    let date = CivilDate(daysSinceEpoch: day)
    output.rewind(to: 0)
    output.append("Date: \(DateLine.days[day % 7]), \(DateLine.padded(date.day)) ")
    output.append("\(DateLine.months[date.month - 1]) \(date.year) ")
    output.append(
      "\(DateLine.padded(rest / 3_600)):\(DateLine.padded(rest / 60 % 60)):"
        + "\(DateLine.padded(rest % 60)) GMT\r\n")
  }

  private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
