// One model at work on one loop: the rows that wait to be judged together, and whose they are.
//
//     tickets:  [ request 17 | request 4 | … ]
//     rows:     [ x x x x | x x x x | … ]       what the model is told, row after row
//     margins:  [ m | m | … ]                   what it says, in one call
//
// A ticket's seat is a decider of its own, which keeps the request's row until the rules have been applied to
// it: exactly what `score` does with a line. Seats are made when so many requests first come together,
// and kept.

import Core
import Decisions
import HTTP
import Models

/// A request that waits for its model.
struct Ticket {
  enum Purpose {
    /// A row in the seat of this number.
    case decide(seat: Int, kind: RowKind, detail: Bool)
    /// Rows without rules: the scores are all that is asked for.
    case predict(any PredictionReply)
  }

  let request: Request
  let connection: Connection
  let purpose: Purpose
  let firstRow: Int
  let rowCount: Int
  var times: TicketTimes
  /// Monotonic nanoseconds after which nobody wants the answer; nil: always wanted.
  let deadline: UInt64?
}

/// Monotonic nanoseconds between a request's steps.
struct TicketTimes {
  let arrived: UInt64
  let began: UInt64
  let read: UInt64
  let gathered: UInt64
}

final class Desk {
  let served: ServedModel
  let meter: ModelMeter
  var model: Model { served.model }
  private var seats: [Decider] = []
  private(set) var tickets: [Ticket] = []
  private(set) var rowCount = 0
  private var rows: UnsafeMutableBufferPointer<Double>
  private var margins: UnsafeMutableBufferPointer<Double>
  /// By input; NaN where a missing value stays missing.
  let substitutes: [Double]
  let labels: [String]
  /// By input: whether the model takes categories there; empty where all are numbers.
  let categorical: [Bool]
  var takesCategories: Bool { !categorical.isEmpty }

  /// - Parameter meter: its counts go on.
  init(_ served: ServedModel, meter: ModelMeter) {
    self.served = served
    self.meter = meter
    rows = .allocate(capacity: 0)
    margins = .allocate(capacity: 0)
    let decider = Desk.makeSeat(served)
    substitutes = decider.substitutes
    labels = decider.labels
    let categorical = (0..<served.model.inputCount).map {
      served.model.categories(ofInput: $0) != nil
    }
    self.categorical = categorical.contains(true) ? categorical : []
  }

  deinit {
    rows.deallocate()
    margins.deallocate()
  }

  private static func makeSeat(_ served: ServedModel, beside other: Decider? = nil) -> Decider {
    do throws(Failure) {
      return try served.makeDecider(beside: other)
    } catch {
      preconditionFailure("a served model's declaration was checked: \(error.message)")
    }
  }

  /// Judges a row of missing values, so that the first request finds everything in its place.
  func warmUp() {
    _ = seat(0)
    let row = room(1)
    row.update(repeating: .nan)
    takeRow()
    judge()
    clear()
  }

  /// The decider with this number.
  func seat(_ number: Int) -> Decider {
    while seats.count <= number { seats.append(Desk.makeSeat(served, beside: seats.first)) }
    return seats[number]
  }

  /// What the model is told for a value that comes by its input's place.
  func told(_ value: Scalar, ofInput input: Int, row: Int) throws(Refusal) -> Double {
    do throws(BadRecord) {
      return try seat(tickets.count).told(value, ofInput: input)
    } catch {
      throw Refusal(.badRequest, "row \(row): \(error.reason)")
    }
  }

  // MARK: Rows

  /// Room for `count` further rows; they are counted once their ticket is taken.
  func room(_ count: Int) -> UnsafeMutableBufferPointer<Double> {
    let inputs = model.inputCount
    let needed = (rowCount + count) * inputs
    if needed > rows.count {
      let larger = UnsafeMutableBufferPointer<Double>.allocate(
        capacity: max(needed, rows.count * 2))
      larger.initialize(repeating: .nan)
      _ = larger.update(fromContentsOf: rows)
      rows.deallocate()
      rows = larger
    }
    return UnsafeMutableBufferPointer(rebasing: rows[rowCount * inputs..<needed])
  }

  /// The rows of a ticket, whose room has been filled.
  func take(_ ticket: Ticket) {
    precondition(ticket.firstRow == rowCount, "rows lie in the order of their tickets")
    tickets.append(ticket)
    rowCount += ticket.rowCount
  }

  /// One row without a ticket, whose room has been filled, for requests that are answered at once.
  func takeRow() { rowCount += 1 }

  /// Lets the model judge all rows.
  func judge() {
    let needed = rowCount * model.outputCount
    if needed > margins.count {
      margins.deallocate()
      margins = .allocate(capacity: max(needed, margins.count * 2))
      margins.initialize(repeating: 0)
    }
    model.margins(UnsafeBufferPointer(rows), rowCount: rowCount, into: margins)
  }

  /// One row's, after `judge`; the objective's transform may be applied to them in place.
  func margins(ofRow row: Int) -> UnsafeMutableBufferPointer<Double> {
    let outputs = model.outputCount
    return UnsafeMutableBufferPointer(rebasing: margins[row * outputs..<(row + 1) * outputs])
  }

  /// All tickets have been answered.
  func clear() {
    tickets.removeAll(keepingCapacity: true)
    rowCount = 0
    // What one large request needed is not kept.
    let kept = Limits.batchRowsMax * max(1, model.inputCount)
    if rows.count > kept {
      rows.deallocate()
      rows = .allocate(capacity: 0)
    }
  }

  /// Drops tickets for which nobody waits any more, and closes the gaps.
  func drop(where isUnwanted: (Ticket) -> Bool) {
    guard tickets.contains(where: isUnwanted) else { return }
    let inputs = model.inputCount
    var kept: [Ticket] = []
    var row = 0
    for ticket in tickets where !isUnwanted(ticket) {
      if row != ticket.firstRow {
        (rows.baseAddress! + row * inputs).update(
          from: rows.baseAddress! + ticket.firstRow * inputs, count: ticket.rowCount * inputs)
      }
      kept.append(ticket.moved(toRow: row))
      row += ticket.rowCount
    }
    tickets = kept
    rowCount = row
  }
}

extension Ticket {
  func isLate(_ now: UInt64) -> Bool { deadline.map { now > $0 } ?? false }

  func moved(toRow row: Int) -> Ticket {
    Ticket(
      request: request, connection: connection, purpose: purpose, firstRow: row,
      rowCount: rowCount, times: times, deadline: deadline)
  }
}
