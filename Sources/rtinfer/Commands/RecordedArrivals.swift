// Arrivals as they once were: the times in the member `due` (of sample records), else `time`, of a file's lines.

import Core
import Measure

enum RecordedArrivals {
  /// - Parameter delayed: the first is due so long after the run's beginning; the others keep their distance.
  static func schedule(
    _ path: String, delayed: TimeSpan, _ invocation: Invocation
  ) throws(Failure) -> ArrivalSchedule {
    let source = try invocation.inputs([path])[0]
    let reader = LineReader(source)
    var plan = FieldPlan()
    let (due, time) = (plan.slot(["due"]), plan.slot(["time"]))
    let scanner = RecordScanner(plan)
    var times: [Timestamp] = []
    while let line = try reader.next() {
      do throws(JSONError) {
        try scanner.scan(line.bytes)
      } catch {
        throw .badData("\(source.name):\(line.number): \(error.description)")
      }
      // A run's last line says how it went.
      if scanner.raw(due).bytes.isEmpty, scanner.raw(time).bytes.isEmpty { continue }
      let slot = scanner.raw(due).kind == .string ? due : time
      guard scanner.raw(slot).kind == .string, let moment = Timestamp(rfc3339: scanner.text(slot))
      else {
        throw .badData("\(source.name):\(line.number): 'due' or 'time' is not an RFC 3339 time")
      }
      times.append(moment)
    }
    guard let first = times.min() else {
      throw .badData("\(source.name): no line has a member 'due' or 'time'")
    }
    times.sort()
    let begin = delayed.nanoseconds
    return ArrivalSchedule(
      trace: times.map {
        begin + TimeSpan(microseconds: $0.microseconds - first.microseconds).nanoseconds
      })
  }
}
