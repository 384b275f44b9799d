// Instructions of a call, which bench model, bench features and bench pipeline tell beside its time. They are counted in a
// pass of their own behind the timed ones, so that no reading of the counter is in any latency.

import Core
import Measure

enum InstructionCount {
  /// A paragraph of each command's help.
  static let story = """
    Where the system counts instructions (of threads on Linux, of processes on macOS) they are counted in one more pass, \
    which is not timed: call_instructions, of a call on the average, without the system's own. They vary far less \
    than times do. Many virtual machines show no counter: then there is no such member, and the table says why.
    """

  /// How many a call takes on the average, of as many as there are in one pass; nil where the system does not count.
  ///
  /// - Parameters:
  ///   - event: what is counted.
  ///   - call: is made once for each number below `count`, on this thread.
  static func ofEach(
    _ count: Int, counting event: EventCounter.Event, _ call: (Int) throws(Failure) -> Void
  ) throws(Failure) -> Double? {
    guard let counter = try? EventCounter(event), let start = counter.value() else { return nil }
    for number in 0..<count { try call(number) }
    guard let end = counter.value(), end >= start else { return nil }
    return Double(end - start) / Double(max(1, count))
  }

  // MARK: Printing

  static let header = "  instructions"

  /// Under the header: of a call.
  static func cell(_ instructions: Double?) -> String {
    (instructions.map { Int($0).grouped } ?? "").leftPadded(header.count)
  }

  /// As a member of a record; nothing where they were not counted.
  static func append(_ instructions: Double?, to output: OutputBuffer) {
    guard let instructions else { return }
    output.append(",\"call_instructions\":")
    output.append(instructions.rounded())
  }

  /// A line under a table, where there is no column of them.
  static var lack: String {
    EventCounter.lackOfInstructions().map { "\n  instructions are not counted: \($0)\n" } ?? ""
  }
}
