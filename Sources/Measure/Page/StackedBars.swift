// Times that add up, one bar a row: means by layer, or single requests. Percentiles never stand here: those of layers
// do not add up to that of the whole.

import Core

struct StackedBars {
  struct Row {
    let name: String
    /// Nanoseconds, in the order of `names`.
    let parts: [Double]
  }

  let title: String
  let names: [String]
  let rows: [Row]

  func append(to output: OutputBuffer) {
    let most = rows.map { $0.parts.reduce(0, +) }.max() ?? 0
    guard most > 0 else { return }
    let height = rows.count * 26 + 4
    output.append("<figure><h3>\(title.escapedXML)</h3><svg class=\"chart\" role=\"img\"" as String)
    output.append(" viewBox=\"0 0 340 \(height)\" aria-label=\"\(title.escapedXML)\">" as String)
    for (index, row) in rows.enumerated() {
      let top = index * 26
      let whole = LayerTimes.readable(UInt64(row.parts.reduce(0, +)))
      output.append("<text x=\"0\" y=\"\(top + 11)\">\(row.name.escapedXML)</text>" as String)
      output.append(
        "<text x=\"340\" y=\"\(top + 11)\" text-anchor=\"end\">\(whole)</text>" as String)
      var from = 0.0
      for (place, part) in row.parts.enumerated() where part > 0 {
        let (start, width) = (from / most * 340, part / most * 340)
        output.append("<rect class=\"bar s\(place)\" x=\"\(start.fixed(1))\"" as String)
        output.append(" y=\"\(top + 15)\" width=\"\(width.fixed(1))\" height=\"8\">" as String)
        output.append(
          "<title>\(names[place].escapedXML) \(LayerTimes.readable(UInt64(part)))</title></rect>"
            as String)
        from += part
      }
    }
    output.append("</svg><figcaption class=\"key\">")
    for (place, name) in names.enumerated() where rows.contains(where: { $0.parts[place] > 0 }) {
      output.append("<span><i class=\"s\(place)\"></i>\(name.escapedXML)</span>" as String)
    }
    output.append("</figcaption></figure>")
  }
}
