// When something runs that is scheduled by a line of cron: five fields, of which those of the clock make a set of minutes
// that is the same on every day that has runs, and those of the calendar say which days these are.
//
//     15   */6   1-5   jan,jul   *
//     minute hour day   month     day of week (0 and 7 are Sunday)
//
// Everything is UTC. Of the two rules for days Vixie cron (cron.c, entry.c) has one hold where both are written out, and
// both hold where either begins with `*`, steps included: `0 0 13 * fri` runs on every Friday and every 13th,
// `0 0 */2 * fri` on Fridays with an odd date. `CronLine+Text` reads it.

public struct CronLine: Sendable, Equatable {
  /// As written, with one blank between fields.
  public let text: String
  /// Of each field bit n stands for n.
  let minutes, hours, days, months, weekdays: UInt64
  /// Whether a day must be of both rules for days.
  let needsBothDays: Bool
  /// The least and the most time between two runs that follow each other, in any year.
  public private(set) var gaps: ClosedRange<TimeSpan> = .zero ... .zero

  /// - Precondition: no field is empty, and some day of some year is of those that run.
  init(
    text: String, minutes: UInt64, hours: UInt64, days: UInt64, months: UInt64, weekdays: UInt64,
    needsBothDays: Bool
  ) {
    self.text = text
    self.minutes = minutes
    self.hours = hours
    self.days = days
    self.months = months
    self.weekdays = weekdays
    self.needsBothDays = needsBothDays
    gaps = findGaps()
  }

  /// Whether both run at the same times, however they are written.
  public static func == (left: CronLine, right: CronLine) -> Bool {
    left.minutes == right.minutes && left.hours == right.hours && left.days == right.days
      && left.months == right.months && left.weekdays == right.weekdays
      && left.needsBothDays == right.needsBothDays
  }

  // MARK: Runs

  /// The last run that is not after a time; infinite times stay as they are.
  ///
  /// - Complexity: O(months and days without a run that lie between).
  public func run(atOrBefore time: Timestamp) -> Timestamp {
    guard time != .distantPast, time != .distantFuture else { return time }
    let day = time.daysSinceEpoch
    if runs(day), let minute = minute(atOrBefore: time.microsecondOfDay / CronLine.minute) {
      return CronLine.time(day, minute)
    }
    return CronLine.time(self.day(atOrBefore: day - 1), lastMinute)
  }

  /// The first run that is not before a time; infinite times stay as they are.
  ///
  /// - Complexity: as that of `run(atOrBefore:)`.
  public func run(atOrAfter time: Timestamp) -> Timestamp {
    guard time != .distantPast, time != .distantFuture else { return time }
    let day = time.daysSinceEpoch
    let minute = (time.microsecondOfDay + CronLine.minute - 1) / CronLine.minute
    if runs(day), let minute = self.minute(atOrAfter: minute) { return CronLine.time(day, minute) }
    return CronLine.time(self.day(atOrAfter: day + 1), firstMinute)
  }

  private static let minute = 60_000_000
  private static let minutesOfDay = 1_440

  /// Bounded, where a calendar reaches further than times do.
  private static func time(_ day: Int, _ minute: Int) -> Timestamp {
    let (time, overflow) = Int64(day * minutesOfDay + minute)
      .multipliedReportingOverflow(by: Int64(CronLine.minute))
    return overflow
      ? (day < 0 ? .distantPast : .distantFuture) : Timestamp(microseconds: time)
  }

  // MARK: Minutes of a day, 0 ..< 1,440

  private var firstMinute: Int { hours.trailingZeroBitCount * 60 + minutes.trailingZeroBitCount }

  private var lastMinute: Int { minute(atOrBefore: CronLine.minutesOfDay - 1)! }

  private func minute(atOrBefore minute: Int) -> Int? {
    let hour = minute / 60
    if hours.holds(hour), let own = minutes.last(atOrBefore: minute % 60) {
      return hour * 60 + own
    }
    guard hour > 0, let before = hours.last(atOrBefore: hour - 1) else { return nil }
    return before * 60 + minutes.last(atOrBefore: 59)!
  }

  private func minute(atOrAfter minute: Int) -> Int? {
    let hour = minute / 60
    if hours.holds(hour), let own = minutes.first(atOrAfter: minute % 60) {
      return hour * 60 + own
    }
    guard let after = hours.first(atOrAfter: hour + 1) else { return nil }
    return after * 60 + minutes.trailingZeroBitCount
  }

  // MARK: Days since the epoch

  private func runs(_ day: Int) -> Bool { runs(CivilDate(daysSinceEpoch: day), day) }

  private func runs(_ date: CivilDate, _ day: Int) -> Bool {
    guard months.holds(date.month) else { return false }
    let isDay = days.holds(date.day)
    let isWeekday = weekdays.holds(CronLine.time(day, 0).dayOfWeek)
    return needsBothDays ? isDay && isWeekday : isDay || isWeekday
  }

  private func day(atOrBefore day: Int) -> Int {
    var day = day
    while true {
      let date = CivilDate(daysSinceEpoch: day)
      if runs(date, day) { return day }
      day -= months.holds(date.month) ? 1 : date.day
    }
  }

  private func day(atOrAfter day: Int) -> Int {
    var day = day
    while true {
      let date = CivilDate(daysSinceEpoch: day)
      if runs(date, day) { return day }
      day +=
        months.holds(date.month)
        ? 1 : CivilDate.daysInMonth(date.month, of: date.year) - date.day + 1
    }
  }

  // MARK: Gaps

  private func findGaps() -> ClosedRange<TimeSpan> {
    var (least, most) = (Int.max, 0)
    func count(_ gap: Int) { (least, most) = (min(least, gap), max(most, gap)) }
    var last = firstMinute
    while let next = minute(atOrAfter: last + 1) {
      count(next - last)
      last = next
    }
    let overnight = firstMinute - last
    // The calendar comes round in 400 years, days of the week included.
    let start = day(atOrAfter: 0)
    var day = start
    while day < start + 146_097 {
      let next = self.day(atOrAfter: day + 1)
      count((next - day) * CronLine.minutesOfDay + overnight)
      day = next
    }
    return .minutes(Int64(least)) ... .minutes(Int64(most))
  }
}

extension UInt64 {
  fileprivate func holds(_ bit: Int) -> Bool { (self >> UInt64(bit)) & 1 == 1 }

  fileprivate func first(atOrAfter bit: Int) -> Int? {
    let rest = (self >> UInt64(bit)) << UInt64(bit)
    return rest == 0 ? nil : rest.trailingZeroBitCount
  }

  /// - Precondition: `bit` is below 63.
  fileprivate func last(atOrBefore bit: Int) -> Int? {
    let rest = self & ((2 << UInt64(bit)) - 1)
    return rest == 0 ? nil : 63 - rest.leadingZeroBitCount
  }
}
