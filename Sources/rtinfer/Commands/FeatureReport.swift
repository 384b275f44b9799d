// What bench features prints: a table for people, summary records for a pipe.

import Core
import Measure

struct FeatureReport {
  let store: String
  let features: Int
  /// Of the file.
  let rows: Int
  /// Rows a second that were written meanwhile; nil where nobody was asked to.
  let updates: Double?

  func append(_ result: FeatureLookUps.Result, to output: OutputBuffer) {
    output.append("{\"kind\":\"summary\",\"what\":\"features\",\"store\":")
    output.appendQuoted(store)
    output.append(",\"features\":")
    output.append(Int64(features))
    output.append(",\"rows\":\"")
    output.append(result.isHot ? "hot" : "cold")
    output.append("\"")
    let counts: [(StaticString, Int)] = [
      (",\"distinct\":", result.rows), (",\"batch\":", result.batch),
      (",\"lookups\":", result.lookUps), (",\"repeats\":", result.repeats.count),
      (",\"absent\":", result.absent), (",\"damaged\":", result.damaged),
      (",\"unanswered\":", result.unanswered),
    ]
    for (name, count) in counts {
      output.append(name)
      output.append(Int64(count))
    }
    output.append(",\"recalled\":")
    output.append((result.recalled * 1e4).rounded() / 1e4)
    if let updates {
      output.append(",\"updates_per_s\":")
      output.append(updates.rounded())
    }
    output.append(",\"best_us_per_row\":")
    output.append(result.best)
    output.append(",\"median_us_per_row\":")
    output.append(result.median)
    let percentiles: [(StaticString, Double)] = [
      (",\"call_p50_us\":", 50), (",\"call_p99_us\":", 99), (",\"call_p999_us\":", 99.9),
    ]
    for (name, percent) in percentiles {
      output.append(name)
      output.appendMicroseconds(nanoseconds: result.calls.percentile(percent) ?? 0)
    }
    InstructionCount.append(result.instructions, to: output)
    output.append("}\n")
  }

  func table(_ results: [FeatureLookUps.Result]) -> String {
    let isCounted = results.contains { $0.instructions != nil }
    var text =
      "\(store): \(features.grouped) features a row; \(rows.grouped) rows"
      + (updates.map { ", \(Int($0).grouped) written a second meanwhile" } ?? "") + "\n\n"
      + "  rows   distinct    batch  recalled    best us/row  median us/row    call p50 us    call p99 us"
      + "  call p99.9 us\(isCounted ? InstructionCount.header : "")\n"
    for result in results {
      text += "  \(result.isHot ? "hot " : "cold")"
      text += result.rows.grouped.leftPadded(11) + result.batch.grouped.leftPadded(9)
      text += "\((result.recalled * 100).fixed(1)) %".leftPadded(10)
      let calls = [50, 99, 99.9].map { Double(result.calls.percentile($0) ?? 0) / 1e3 }
      for cell in [result.best, result.median] + calls { text += cell.fixed(3).leftPadded(15) }
      if isCounted { text += InstructionCount.cell(result.instructions) }
      text += "\n"
    }
    guard let worst = results.max(by: { $0.absent < $1.absent }) else { return text }
    let damaged = results.map(\.damaged).max() ?? 0
    let unanswered = results.map(\.unanswered).max() ?? 0
    for (count, what) in [
      (worst.absent, "had no row"), (damaged, "had a damaged row"),
      (unanswered, "did not answer in time"),
    ] where count > 0 {
      text += "\n  \(count.grouped) views of \(worst.lookUps.grouped) look-ups \(what)"
    }
    return text + (text.hasSuffix("\n") ? "" : "\n") + InstructionCount.lack
  }
}
