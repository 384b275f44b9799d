// bench model --peers: the library that the file is from, judging the same rows. bench pipeline --peers: the same library
// behind a parser of JSON and before a writer of it, as the middle of a service in Python.

import Core
import Measure
import Models

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

enum ModelPeer {
  /// - Parameters:
  ///   - path: of the model's file.
  ///   - rows: as the model takes them.
  ///   - events: the text of each row's event, a line each; nil: there is only the row.
  static func measure(
    _ model: Model, path: String, _ rows: [Double], events: Bytes? = nil,
    beside own: [OwnCalls], _ invocation: Invocation
  ) -> [PeerFigure] {
    guard model.format != "ensemble" else {
      PeerProcess.note("no library has a model of several files", invocation)
      return []
    }
    guard isPlainFile(path) else {
      PeerProcess.note("\(path) is no plain file, so Python cannot read it once more", invocation)
      return []
    }
    return PeerProcess.measure(beside: own, invocation) { (folder) throws(Failure) in
      try folder.write(rows: rows + margins(model, rows, threads: own[0].threads))
      if let events { try folder.write(lines: events) }
      return [
        PeerScript.model, path, model.format, folder.rows, folder.figures,
        "\(rows.count / model.inputCount)", "\(model.inputCount)", "\(model.outputCount)",
        "\(model.usedRounds.lowerBound)", "\(model.usedRounds.upperBound)",
        own.map { "\($0.batch)" }.joined(separator: ","), "\(own[0].repeats)",
        "\(own[0].threads)", events == nil ? "" : folder.lines,
      ]
    }
  }

  /// A pipe was read to its end when the model was loaded.
  private static func isPlainFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  private static func margins(
    _ model: Model, _ rows: [Double], threads: Int
  ) throws(Failure) -> [Double] {
    let count = rows.count / model.inputCount
    var margins = [Double](repeating: 0, count: count * model.outputCount)
    try rows.withUnsafeBufferPointer { (rows) throws(Failure) in
      try margins.withUnsafeMutableBufferPointer { (margins) throws(Failure) in
        try model.margins(rows, rowCount: count, into: margins, threads: threads)
        guard model.format == "onnx" else { return }
        let width = model.outputCount
        for row in 0..<count {
          model.transform(
            UnsafeMutableBufferPointer(rebasing: margins[row * width..<(row + 1) * width]))
        }
      }
    }
    return margins
  }
}

// MARK: Printing

extension ModelPeer {
  /// - Parameter what: of whose figures these stand beside, as a member of the record.
  static func append(
    _ figure: PeerFigure, _ what: (name: StaticString, value: String), to output: OutputBuffer
  ) {
    output.append("{\"kind\":\"summary\",\"what\":\"peer\",\"")
    output.append(what.name)
    output.append("\":")
    output.appendQuoted(what.value)
    output.append(",\"peer\":")
    output.appendQuoted(figure.peer)
    figure.calls.append(to: output)
    output.append(",\"times_longer\":")
    output.append(figure.timesLonger)
    output.append(",\"largest_difference\":")
    output.append(figure.difference.map { .double($0) } ?? .null)
    output.append("}\n")
  }

  /// - Parameter what: the peer does, behind its name.
  static func table(_ figures: [PeerFigure], _ what: String = "in Python, the same rows") -> String
  {
    guard let first = figures.first else { return "" }
    let difference =
      first.difference.map { "its margins differ by \($0.short) at most" }
      ?? "some of its margins are not finite, and not the same"
    var text =
      "\n\(first.peer) \(what); \(difference)\n\n"
      + "  batch             \(BenchModel.CallFigures.header)  times longer\n"
    for figure in figures {
      text += "  \(Help.padded(figure.calls.batch.grouped, 17))" + figure.calls.cells
      text += " " + figure.timesLonger.fixed(1).leftPadded(13) + "\n"
    }
    return text
  }
}
