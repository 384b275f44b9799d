// Day counts to calendar dates and back, by the proleptic Gregorian calendar (Howard Hinnant,
// "chrono-Compatible Low-Level Date Algorithms", `days_from_civil` and `civil_from_days`). The
// trick: let the year begin in March, so that the leap day is its last, and count in eras of 400
// years, which all have 146,097 days. No table, no loop, and right for years before 1970 and before
// year 1.
//
// Everything is UTC. Divisions round down, so that the moment before the epoch is the last of 1969.

/// A day of the proleptic Gregorian calendar.
public struct CivilDate: Sendable, Hashable {
  public let year: Int
  /// 1 ... 12
  public let month: Int
  /// 1 ... 31
  public let day: Int

  /// - Precondition: the month and the day exist.
  public init(year: Int, month: Int, day: Int) {
    precondition((1...12).contains(month), "a month lies in 1 ... 12")
    precondition(
      (1...CivilDate.daysInMonth(month, of: year)).contains(day), "the month has that day")
    self.year = year
    self.month = month
    self.day = day
  }

  /// The date that lies so many days after 1970-01-01, or before it.
  public init(daysSinceEpoch: Int) {
    let days = daysSinceEpoch + CivilDate.daysFromMarchOfYear0
    let era = floorDivide(days, 146_097)
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  public var daysSinceEpoch: Int {
    let yearFromMarch = month <= 2 ? year - 1 : year
    let era = floorDivide(yearFromMarch, 400)
    let yearOfEra = yearFromMarch - era * 400
    let monthFromMarch = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - CivilDate.daysFromMarchOfYear0
  }

  /// 1 on the first of January.
  public var dayOfYear: Int {
    daysSinceEpoch - CivilDate(year: year, month: 1, day: 1).daysSinceEpoch + 1
  }

  /// From 0000-03-01, where the count of eras starts, to 1970-01-01.
  private static let daysFromMarchOfYear0 = 719_468

  public static func isLeap(year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  /// - Parameter month: 1 ... 12
  public static func daysInMonth(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year: year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

extension Timestamp {
  private static let dayMicroseconds = 86_400_000_000

  public init(_ date: CivilDate) {
    self.init(microseconds: Int64(date.daysSinceEpoch * Timestamp.dayMicroseconds))
  }

  /// Whole days since 1970-01-01, rounded down.
  public var daysSinceEpoch: Int { floorDivide(Int(microseconds), Timestamp.dayMicroseconds) }

  public var date: CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch) }

  /// Since midnight UTC: 0 ..< 86,400,000,000.
  public var microsecondOfDay: Int {
    let remainder = Int(microseconds) % Timestamp.dayMicroseconds
    return remainder < 0 ? remainder + Timestamp.dayMicroseconds : remainder
  }

  /// 0 ... 23
  public var hour: Int { microsecondOfDay / 3_600_000_000 }
  /// 0 ... 59
  public var minute: Int { microsecondOfDay / 60_000_000 % 60 }
  /// 0 ... 59
  public var second: Int { microsecondOfDay / 1_000_000 % 60 }

  /// 0 is Sunday. The epoch was a Thursday.
  public var dayOfWeek: Int {
    let remainder = (daysSinceEpoch + 4) % 7
    return remainder < 0 ? remainder + 7 : remainder
  }
}

/// Division that rounds towards minus infinity, for a divisor above 0.
private func floorDivide(_ value: Int, _ divisor: Int) -> Int {
  let quotient = value / divisor
  return value % divisor < 0 ? quotient - 1 : quotient
}
