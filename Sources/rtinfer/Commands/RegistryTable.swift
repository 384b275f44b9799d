// The listing as a table, for people: a line for each version, the newest of a model last.

import Core
import Measure
import Models

enum RegistryTable {
  private static let titles = ["model", "version", "added", "by", "format", "size", "aliases"]
  /// Metrics that fit beside the rest.
  private static let metricsMax = 4

  static func text(of models: [String: RegisteredModel]) -> String {
    var rows = [titles + ["metrics"]]
    for (name, model) in models.sorted(by: { $0.key < $1.key }) {
      for version in model.versions {
        rows.append([
          name, "\(version.number)", moment(version.added), version.by, version.format,
          size(version.bytes), model.aliases(of: version.number).joined(separator: " "),
          metrics(version.metrics),
        ])
      }
    }
    guard rows.count > 1 else { return "no version is registered\n" }
    let widths = titles.indices.map { column in rows.map { $0[column].count }.max()! }
    // Numbers to the right, words to the left.
    let isNumber = titles.map { $0 == "version" || $0 == "size" }
    var text = ""
    for row in rows {
      for column in titles.indices {
        let cell = row[column]
        text +=
          isNumber[column]
          ? cell.leftPadded(widths[column]) : Help.padded(cell, widths[column])
        text += "  "
      }
      text += row[titles.count]
      while text.last == " " { text.removeLast() }
      text += "\n"
    }
    return text
  }

  /// To the minute, in UTC.
  private static func moment(_ time: Timestamp) -> String {
    let text = OutputBuffer(MemorySink(), capacity: 64)
    text.append(time)
    return "\(text.pending.string.prefix(16))Z"
  }

  private static func size(_ bytes: Int) -> String {
    switch bytes {
    case ..<10_000: "\(bytes) B"
    case ..<10_000_000: "\((Double(bytes) / 1e3).fixed(0)) kB"
    default: "\((Double(bytes) / 1e6).fixed(0)) MB"
    }
  }

  /// The first by name, without the ends of their intervals.
  private static func metrics(_ metrics: [String: Double]) -> String {
    let names = metrics.keys.filter { !$0.hasSuffix("_low") && !$0.hasSuffix("_high") }.sorted()
    var parts = names.prefix(metricsMax).map { "\($0) \(shown(metrics[$0]!))" }
    if names.count > metricsMax { parts.append("and \(names.count - metricsMax) more") }
    return parts.joined(separator: ", ")
  }

  /// Four digits that say something.
  static func shown(_ value: Double) -> String {
    guard value.magnitude < 1e12, value.magnitude >= 1e-4 || value == 0 else {
      return value.description
    }
    return Int64(exactly: value) != nil || value.magnitude >= 1_000
      ? value.fixed(0) : value.fixed(value.magnitude >= 1 ? 2 : 4)
  }
}
