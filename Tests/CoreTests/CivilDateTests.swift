import Core
import Testing

@Suite struct CivilDateTests {
  @Test(
    arguments: [
      (1970, 1, 1, 0), (1969, 12, 31, -1), (2000, 2, 29, 11_016), (2000, 3, 1, 11_017),
      (1900, 2, 28, -25_509), (1900, 3, 1, -25_508), (2024, 2, 29, 19_782), (2013, 1, 1, 15_706),
      (1, 1, 1, -719_162), (0, 12, 31, -719_163), (0, 3, 1, -719_468), (-1, 12, 31, -719_529),
      (9999, 12, 31, 2_932_896),
    ])
  func matchesKnownDays(_ year: Int, _ month: Int, _ day: Int, _ count: Int) {
    let date = CivilDate(year: year, month: month, day: day)
    #expect(date.daysSinceEpoch == count)
    #expect(CivilDate(daysSinceEpoch: count) == date)
  }

  /// The twin: a calendar that is turned over day by day.
  @Test(arguments: [-401...2, 1599...2101, 9990...9999])
  func agreesWithACalendarTurnedByHand(_ years: ClosedRange<Int>) {
    var count = CivilDate(year: years.lowerBound, month: 1, day: 1).daysSinceEpoch
    var wrong = 0
    for year in years {
      var dayOfYear = 0
      let february = year % 400 == 0 || year % 4 == 0 && year % 100 != 0 ? 29 : 28
      for (index, days) in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
        for day in 1...days {
          let date = CivilDate(daysSinceEpoch: count)
          dayOfYear += 1
          if date.year != year || date.month != index + 1 || date.day != day { wrong += 1 }
          if date.daysSinceEpoch != count || date.dayOfYear != dayOfYear { wrong += 1 }
          count += 1
        }
        #expect(CivilDate.daysInMonth(index + 1, of: year) == days)
      }
    }
    #expect(wrong == 0)
    #expect(CivilDate(year: years.upperBound, month: 12, day: 31).daysSinceEpoch == count - 1)
  }

  @Test func timestampsHaveTheirPartsInUTC() {
    // 2013-01-05T17:09:58.5Z, a Saturday
    let some = Timestamp(microseconds: 1_357_405_798_500_000)
    #expect(some.date == CivilDate(year: 2013, month: 1, day: 5))
    #expect([some.hour, some.minute, some.second, some.dayOfWeek] == [17, 9, 58, 6])
    // 1969-12-31T23:59:59.999999Z, a Wednesday
    let before = Timestamp(microseconds: -1)
    #expect(before.date == CivilDate(year: 1969, month: 12, day: 31))
    #expect([before.hour, before.minute, before.second, before.dayOfWeek] == [23, 59, 59, 3])
    #expect(before.microsecondOfDay == 86_399_999_999)
    #expect(Timestamp(CivilDate(year: 2000, month: 2, day: 29)).microseconds == 951_782_400_000_000)
  }

  @Test func weekdaysGoRound() {
    let epoch = Timestamp(microseconds: 0)
    for day in -1000...1000 {
      let time = epoch + .days(Int64(day))
      #expect(time.dayOfWeek == ((day + 4) % 7 + 7) % 7)
    }
  }

  @Test func theEndsOfTimeHaveDatesToo() {
    #expect(Timestamp.distantPast.date.year == -290_308)
    #expect(Timestamp.distantFuture.date.year == 294_247)
    #expect((0..<24).contains(Timestamp.distantPast.hour))
    #expect((0..<7).contains(Timestamp.distantPast.dayOfWeek))
  }
}
