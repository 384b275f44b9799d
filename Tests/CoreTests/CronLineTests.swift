// Lines of cron beside a twin that knows nothing of sets of bits: it goes through time minute by minute and holds each
// against the fields as they are written.

import Core
import Foundation
import Testing

@Suite struct CronLineTests {
  // MARK: The twin

  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]
  private static let weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

  private func number(_ text: Substring, _ names: [String], from first: Int) -> Int {
    names.firstIndex(of: text.lowercased()).map { $0 + first } ?? Int(text)!
  }

  private func holds(
    _ field: Substring, _ value: Int, least: Int, names: [String] = []
  ) -> Bool {
    field.split(separator: ",").contains { part in
      let words = part.split(separator: "/")
      let step = words.count == 2 ? Int(words[1])! : 1
      if words[0] == "*" { return (value - least) % step == 0 }
      let ends = words[0].split(separator: "-").map { number($0, names, from: least) }
      return ends[0] <= value && value <= ends.last! && (value - ends[0]) % step == 0
    }
  }

  /// The minutes since the epoch at which a line runs, by a calendar that is not ours.
  private func walk(_ line: String, _ range: Range<Int>) -> [Int] {
    let fields = line.split(separator: " ")
    let minutes = (0...59).map { holds(fields[0], $0, least: 0) }
    let hours = (0...23).map { holds(fields[1], $0, least: 0) }
    let days = (0...31).map { $0 > 0 && holds(fields[2], $0, least: 1) }
    let months = (0...12).map { $0 > 0 && holds(fields[3], $0, least: 1, names: Self.months) }
    var weekdays = (0...7).map { holds(fields[4], $0, least: 0, names: Self.weekdays) }
    // Not by a star and its steps, which count Sunday once.
    if fields[4].first != "*" { weekdays[0] = weekdays[0] || weekdays[7] }
    let isEither = fields[2].first == "*" || fields[4].first == "*"
    return range.filter { minute in
      var time = time_t(minute * 60)
      var parts = tm()
      gmtime_r(&time, &parts)
      guard minutes[Int(parts.tm_min)], hours[Int(parts.tm_hour)], months[Int(parts.tm_mon) + 1]
      else { return false }
      let (day, weekday) = (days[Int(parts.tm_mday)], weekdays[Int(parts.tm_wday)])
      return isEither ? day && weekday : day || weekday
    }
  }

  // MARK: Runs

  private static let lines = [
    "* * * * *", "15 * * * *", "0 2 * * *", "*/5 9-17 * * 1-5", "*/5 9-17 * * MON-FRI",
    "7,37 */6 * * *", "10-50/20 22,23,0 * * *", "0 0 13 * fri", "30 4 */2 * fri", "0 12 1,15 * *",
    "0 0 1 */3 *", "59 23 31 * *", "0 0 29 2 *", "5 5 * jan,Jul 6,7", "0 0 1-7 * */3",
    "0 0 30 * 0", "1-59/58 0 * 3-11/4 *",
  ]

  private func time(_ minute: Int, _ microseconds: Int = 0) -> Timestamp {
    Timestamp(microseconds: Int64(minute * 60_000_000 + microseconds))
  }

  /// From 2011 to 2012, with a leap day in it, and before the epoch.
  @Test(arguments: lines, [21_565_440, -528_480])
  func runsAreThoseThatAWalkThroughAllMinutesFinds(_ text: String, _ start: Int) throws {
    let line = try CronLine(text)
    let walk = walk(text, start..<start + 430 * 1_440)
    var random = SplitMix64(seed: UInt64(text.utf8.count))
    for round in 0..<400 {
      let minute = Int.random(in: start + 20 * 1_440..<start + 420 * 1_440, using: &random)
      // On the minute, and somewhere in it.
      let part = round % 2 == 0 ? 0 : Int.random(in: 1..<60_000_000, using: &random)
      let asked = time(minute, part)
      let before = walk.partitioningIndex { $0 > minute }
      if before > 0 { #expect(line.run(atOrBefore: asked) == time(walk[before - 1]), "\(asked)") }
      let after = walk.partitioningIndex { $0 >= (part > 0 ? minute + 1 : minute) }
      if after < walk.count { #expect(line.run(atOrAfter: asked) == time(walk[after])) }
    }
    for (one, next) in zip(walk, walk.dropFirst()) {
      let gap = TimeSpan.minutes(Int64(next - one))
      guard line.gaps.contains(gap) else {
        Issue.record("\(gap.description) is not in \(line.gaps)")
        break
      }
    }
  }

  @Test(arguments: [
    ("15 * * * *", "1h", "1h"), ("0 2 * * *", "1d", "1d"), ("@weekly", "7d", "7d"),
    ("*/5 9-17 * * 1-5", "5m", "2d15h5m"), ("50 1,13 * * *", "12h", "12h"),
    ("0 0 1 * *", "28d", "31d"), ("*/7 * * * *", "4m", "7m"),
    // From 1896 to 1904, as from 2096 to 2104, there is no leap day.
    ("0 0 29 feb *", "1461d", "2921d"),
  ])
  func gapsAreTheLeastAndTheMost(_ text: String, _ least: String, _ most: String) throws {
    let gaps = try CronLine(text).gaps
    #expect(gaps.lowerBound.description == least && gaps.upperBound.description == most)
  }

  @Test(arguments: [
    ("@hourly", "0 * * * *"), ("@Daily", "0 0 * * *"), ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * sun"), ("@monthly", "0 0 1 * *"), ("@annually", "0 0 1 JAN *"),
    ("  0\t2 *  * 1-5 ", "00 2 * * mon-fri"), ("0 0 * * 7", "0 0 * * 0"),
    ("0 0 * * 5-7", "0 0 * * fri,sat,sun"),
  ])
  func whatMeansTheSameIsTheSame(_ one: String, _ other: String) throws {
    #expect(try CronLine(one) == CronLine(other))
  }

  @Test func timesWithoutEndStayAsTheyAre() throws {
    let line = try CronLine("0 2 * * *")
    for time in [Timestamp.distantPast, .distantFuture] {
      #expect(line.run(atOrBefore: time) == time && line.run(atOrAfter: time) == time)
    }
    let near = Timestamp(microseconds: .max - 1)
    #expect(line.run(atOrAfter: near) >= near)
  }

  // MARK: Mistakes

  @Test(arguments: [
    ("60 * * * *", "minute: '60' is not 0 to 59"),
    ("* 24 * * *", "hour: '24' is not 0 to 23"),
    ("* * 0 * *", "day of month: '0' is not 1 to 31"),
    ("* * * foo *", "month: 'foo' is not 1 to 12 or jan to dec"),
    ("* * * * monday", "day of week: 'monday' is not 0 to 7 or sun to sat"),
    ("50-10 * * * *", "minute: '50-10' goes down"),
    ("* * * * fri-sun", "day of week: 'fri-sun' goes down"),
    ("*/0 * * * *", "minute: '0' is no step of 1 to 59"),
    ("*/60 * * * *", "minute: '60' is no step of 1 to 59"),
    ("5/15 * * * *", "minute: '5/15' is a step of one value"),
    ("1,,2 * * * *", "minute: '' is not 0 to 59"),
    ("-5 * * * *", "minute: '' is not 0 to 59"),
    ("+5 * * * *", "minute: '+5' is not 0 to 59"),
    ("* * L * *", "day of month: 'L' is not 1 to 31"),
    ("* * 30 2 *", "day of month: no month of '2' has a day '30'"),
    ("0 0 31 4,jun *", "day of month: no month of '4,jun' has a day '31'"),
    ("0 0 30 feb mon", "day of month: no month of 'feb' has a day '30'"),
    ("* * * *", "'* * * *' has 4 fields, and a line of cron has 5"),
    ("0 0 * * * *", "'0 0 * * * *' has 6 fields, and a line of cron has 5"),
    ("", "'' has 0 fields, and a line of cron has 5"),
    ("@reboot", "'@reboot' is no schedule of cron"),
  ])
  func mistakesNameTheirField(_ text: String, _ message: String) throws {
    let mistake = #expect(throws: CronLine.Mistake.self) { try CronLine(text) }
    #expect(mistake?.message == message && mistake?.hint.isEmpty == false)
  }
}

extension [Int] {
  /// How many of its elements come before the first of which something is true, which then is of all behind it.
  fileprivate func partitioningIndex(_ isBehind: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
