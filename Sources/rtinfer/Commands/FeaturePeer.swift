// bench features --peers: where else features may lie for a program in Python: in a dict of its own, or in SQLite. Both hold
// finished values by entity, so they finish nothing and forget nothing when time goes by: they do less than a store of windows
// does, and their figures are the least that a store in Python takes.

import Core
import Features
import Measure

struct FeaturePeer {
  struct Figure {
    let isHot: Bool
    let figure: PeerFigure
  }

  /// The finished values of a view's entities.
  private struct Table {
    /// Slots of a request that name the entity.
    let slots: [Int]
    /// Of the answers to a request.
    let answers: [Int]
    var places: [String: Int] = [:]
    /// As JSON, one behind another.
    let keys = OutputBuffer(MemorySink())
    let rows = OutputBuffer(MemorySink())
  }

  private var tables: [Table]
  private let look: FeatureLookUps
  private let requests: FeatureRequests
  private let invocation: Invocation
  private static let kinds = ["dict", "sqlite3"]

  init(
    _ views: [FeatureView], _ plan: RequestPlan, _ look: FeatureLookUps,
    _ requests: FeatureRequests, _ invocation: Invocation
  ) {
    self.look = look
    self.requests = requests
    self.invocation = invocation
    tables = views.compactMap { view in
      let slots = view.entity.compactMap { name in
        plan.entityMembers.first { $0.name == name }?.slot
      }
      let answers = plan.answers.indices.filter {
        plan.answers[$0].name.hasPrefix("\(view.name):")
      }
      guard slots.count == view.entity.count, !answers.isEmpty else { return nil }
      return Table(slots: slots, answers: answers)
    }
  }

  /// - Parameters:
  ///   - order: of hot rows, and of cold ones.
  ///   - results: ours of both.
  mutating func measure(
    _ order: (Bool) -> [Int], beside results: [FeatureLookUps.Result]
  ) -> [Figure] {
    let lookUps = (0..<requests.count).map { places(of: $0) }
    var figures: [Figure] = []
    for kind in FeaturePeer.kinds {
      for isHot in [true, false] {
        let text = text(order(isHot).map { lookUps[$0] })
        let own = results.filter { $0.isHot == isHot }.map(\.own)
        figures += PeerProcess.measure(beside: own, invocation) { (folder) throws(Failure) in
          try folder.write(lines: text.pending)
          return [
            PeerScript.features, folder.lines, folder.figures,
            own.map { "\($0.batch)" }.joined(separator: ","), "\(own[0].repeats)", kind,
          ]
        }.map { Figure(isHot: isHot, figure: $0) }
        guard Signals.drainStatus == nil else { return figures }
      }
    }
    return figures
  }

  /// Where each table has the entity that the request names, -1 for none; one that is new is taken up with its values.
  private mutating func places(of request: Int) -> [Int] {
    var values: [Scalar]?
    return tables.indices.map { index in
      guard let key = key(of: request, tables[index].slots) else { return -1 }
      if let known = tables[index].places[key] { return known }
      let found = values ?? look.values(of: request)
      values = found
      let table = tables[index]
      let place = table.places.count
      tables[index].places[key] = place
      if place > 0 { table.keys.append(",") }
      table.keys.appendQuoted(key)
      table.rows.append(place > 0 ? ",[" : "[")
      for (column, answer) in table.answers.enumerated() {
        if column > 0 { table.rows.append(",") }
        table.rows.append(found[answer])
      }
      table.rows.append("]")
      return place
    }
  }

  private func key(of request: Int, _ slots: [Int]) -> String? {
    let key = OutputBuffer(MemorySink(), capacity: 64)
    for slot in slots {
      let value = requests.scalars[request * requests.width + slot]
      guard !value.isNull else { return nil }
      key.append(value)
    }
    return key.pending.string
  }

  private func text(_ lookUps: [[Int]]) -> OutputBuffer {
    let text = OutputBuffer(MemorySink())
    text.append("[")
    for (index, table) in tables.enumerated() {
      text.append(index > 0 ? ",{\"keys\":[" : "{\"keys\":[")
      text.append(table.keys.pending)
      text.append("],\"rows\":[")
      text.append(table.rows.pending)
      text.append("]}")
    }
    text.append("]\n[")
    for (index, places) in lookUps.enumerated() {
      text.append(index > 0 ? ",[" : "[")
      for (table, place) in places.enumerated() {
        if table > 0 { text.append(",") }
        text.append(Int64(place))
      }
      text.append("]")
    }
    text.append("]\n")
    return text
  }
}

// MARK: Printing

extension FeaturePeer {
  static func append(_ found: Figure, _ store: String, to output: OutputBuffer) {
    let calls = found.figure.calls
    output.append("{\"kind\":\"summary\",\"what\":\"peer\",\"store\":")
    output.appendQuoted(store)
    output.append(",\"peer\":")
    output.appendQuoted(found.figure.peer)
    output.append(found.isHot ? ",\"rows\":\"hot\"" : ",\"rows\":\"cold\"")
    let counts: [(StaticString, Int)] = [
      (",\"batch\":", calls.batch), (",\"lookups\":", calls.rows), (",\"repeats\":", calls.repeats),
    ]
    for (name, count) in counts {
      output.append(name)
      output.append(Int64(count))
    }
    let figures: [(StaticString, Double)] = [
      (",\"best_us_per_row\":", calls.best), (",\"median_us_per_row\":", calls.median),
    ]
    for (name, figure) in figures {
      output.append(name)
      output.append(figure)
    }
    output.append(",\"call_p50_us\":")
    output.appendMicroseconds(nanoseconds: calls.p50)
    output.append(",\"call_p99_us\":")
    output.appendMicroseconds(nanoseconds: calls.p99)
    output.append(",\"times_longer\":")
    output.append(found.figure.timesLonger)
    output.append("}\n")
  }

  static func table(_ figures: [Figure]) -> String {
    var text = ""
    for kind in figures.map(\.figure.peer).reduce(
      into: [String](),
      { peers, peer in
        if !peers.contains(peer) { peers.append(peer) }
      })
    {
      text +=
        "\n\(kind): finished values by entity, the same look-ups\n\n"
        + "  rows      batch\(BenchModel.CallFigures.header)  times longer\n"
      for found in figures where found.figure.peer == kind {
        text += "  \(found.isHot ? "hot " : "cold")"
        text += found.figure.calls.batch.grouped.leftPadded(11) + found.figure.calls.cells
        text += " " + found.figure.timesLonger.fixed(1).leftPadded(13) + "\n"
      }
    }
    return text
  }
}
