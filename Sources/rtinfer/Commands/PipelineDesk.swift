// A model at work on the events of one call: each row keeps a decider of its own until all are judged together, as in serve.

import Core
import Decisions
import Events
import Models

final class PipelineDesk {
  /// Of the events that it decides.
  let type: Int
  private let declared: DeclaredModel
  private var seats: [Seat] = []
  /// Lines are gone when the next event is read, unless it is the only one of the call.
  private let keepsLines: Bool
  private var rows: [Double]
  private var margins: [Double]
  private var kinds: [RowKind] = []
  /// Of the row that is read and not yet gathered.
  private var opened: RowKind?
  private var openedLine = Bytes.empty
  /// Told of each row: the event's text, and what the model is given.
  var onRow: ((_ event: Bytes, _ inputs: UnsafeBufferPointer<Double>) -> Void)?

  private struct Seat {
    let decider: Decider
    let line: OutputBuffer
  }

  /// - Parameters:
  ///   - online: where its features come from.
  ///   - rowsMax: of one call.
  init(
    _ declared: DeclaredModel, type: Int, online: OnlineFeatures, rowsMax: Int
  ) throws(Failure) {
    self.declared = declared
    self.type = type
    keepsLines = rowsMax > 1
    rows = Array(repeating: 0, count: rowsMax * declared.model.inputCount)
    margins = Array(repeating: 0, count: rowsMax * declared.model.outputCount)
    kinds.reserveCapacity(rowsMax)
    var online: OnlineFeatures? = online
    for _ in 0..<rowsMax {
      let decider = try Decider(
        declared.definition, model: declared.model, schema: declared.schema, online: online)
      seats.append(
        Seat(decider: decider, line: OutputBuffer(MemorySink(), capacity: keepsLines ? 1_024 : 64)))
      online = seats[0].decider.onlineBeside()
    }
  }

  /// How many rows wait for the model.
  var count: Int { kinds.count }

  /// Takes up what asks.
  ///
  /// - Parameter line: with `LineReader.padding` bytes behind it.
  func read(_ line: Bytes) throws(BadRecord) {
    opened = nil
    let seat = seats[count]
    let kept = keepsLines ? PipelineDesk.copy(line, to: seat.line) : line
    opened = try seat.decider.read(kept, padding: LineReader.padding)
    openedLine = kept
  }

  private static func copy(_ line: Bytes, to buffer: OutputBuffer) -> Bytes {
    buffer.rewind(to: 0)
    buffer.append(line)
    for _ in 0..<LineReader.padding { buffer.append(UInt8(0)) }
    return buffer.pending[0..<line.count]
  }

  /// Finds the features of what was read, which is then a row.
  func gather() throws(BadRecord) {
    guard let kind = opened else { return }
    opened = nil
    let decider = seats[count].decider
    try decider.gather(kind)
    let start = count * declared.model.inputCount
    for (index, value) in decider.gathered.enumerated() { rows[start + index] = value }
    kinds.append(kind)
    onRow?(openedLine, decider.gathered)
  }

  func judge() {
    guard count > 0 else { return }
    let width = declared.model.outputCount
    rows.withUnsafeBufferPointer { rows in
      margins.withUnsafeMutableBufferPointer { margins in
        declared.model.margins(
          UnsafeBufferPointer(rebasing: rows[..<(count * declared.model.inputCount)]),
          rowCount: count, into: UnsafeMutableBufferPointer(rebasing: margins[..<(count * width)]))
      }
    }
    margins.withUnsafeBufferPointer { margins in
      for row in 0..<count {
        seats[row].decider.take(
          margins: UnsafeBufferPointer(rebasing: margins[row * width..<(row + 1) * width]))
      }
    }
  }

  func conclude() {
    for (row, kind) in kinds.enumerated() { seats[row].decider.conclude(kind) }
  }

  /// Appends the records, and is ready for the next call.
  ///
  /// - Parameter layers: nanoseconds of the call.
  func write(to output: OutputBuffer, layers: [UInt64]) {
    for (row, kind) in kinds.enumerated() {
      let marks = DecisionMarks(
        model: declared.definition.name, version: declared.version, layers: layers)
      seats[row].decider.openRecord(on: output, kind, marks, withMargin: false)
      seats[row].decider.closeRecord(on: output, responseNanoseconds: layers[4])
      output.append(UInt8(ascii: "\n"))
    }
    kinds.removeAll(keepingCapacity: true)
  }
}
