// Requests for features, read once so that they can be asked again and again: of each row the values that the look-up
// reads, by the types that the event declares, and the time that it is about.

import Core
import Events
import Features

final class FeatureRequests {
  /// In the order of `FeatureReader.plan`'s paths, one row behind another.
  private(set) var scalars: [Scalar] = []
  private(set) var times: [Timestamp] = []
  let width: Int
  private let scanner: RecordScanner
  private let members: [(slot: Int, from: Int, field: Field)]
  private let timeField: Field
  private let timeSlot: Int
  /// The time of all rows; nil: each has its own, or else asks as of now.
  private let fixed: Timestamp?
  private let clock: any Clock
  /// Texts among the scalars, each once.
  private let texts = ByteTable()

  init(
    _ plan: RequestPlan, _ paths: [[String]], _ type: EventType, at fixed: Timestamp?,
    _ clock: any Clock
  ) {
    var fields = FieldPlan()
    members = plan.memberSlots.map { slot in
      let path = paths[slot]
      let declared = path.count == 1 ? type.fields.first { $0.name == path[0] } : nil
      let isTime = path == [type.timeMember]
      // What is missing names no entity, and is no reason to refuse the row.
      let field = Field(
        name: path.joined(separator: "."), type: isTime ? .time : declared?.type ?? .any,
        isOptional: true, unit: isTime ? type.timeUnit : declared?.unit ?? .rfc3339)
      return (slot, fields.slot(path), field)
    }
    timeField = Field(name: type.timeMember, type: .time, isOptional: true, unit: type.timeUnit)
    timeSlot = fields.slot([type.timeMember])
    scanner = RecordScanner(fields)
    width = max(1, paths.count)
    self.fixed = fixed
    self.clock = clock
  }

  var count: Int { times.count }

  /// - Returns: why the row cannot be asked for; nil where it was taken.
  func take(_ line: Line) -> String? {
    do throws(JSONError) {
      try scanner.scan(line.bytes, padding: LineReader.padding)
    } catch {
      return error.description
    }
    do throws(BadRecord) {
      var row = [Scalar](repeating: .null, count: width)
      for (slot, from, field) in members {
        row[slot] = owned(try field.convert(scanner.scalar(from), scanner.raw(from)))
      }
      let time = try timeField.convert(scanner.scalar(timeSlot), scanner.raw(timeSlot))
      scalars += row
      if let fixed {
        times.append(fixed)
      } else if case .time(let own) = time {
        times.append(own)
      } else {
        times.append(clock.now())
      }
      return nil
    } catch {
      return error.reason
    }
  }

  /// The same value, valid for as long as this is.
  private func owned(_ value: Scalar) -> Scalar {
    guard case .text(let text) = value else { return value }
    return .text(texts[texts.insert(text).index])
  }
}
