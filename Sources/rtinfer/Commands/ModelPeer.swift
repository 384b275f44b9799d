// bench model --peers: the library that the file is from, measured on the same rows right after, by Python in a process of
// its own. What its calls cost in Python is in its figures, as it is for those who call it there.

import Core
import Measure
import Models

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct ModelPeer {
  struct Figure {
    /// The library and its version.
    let peer: String
    let calls: BenchModel.CallFigures
    /// Between its margins and ours, over all rows; of ONNX between scores.
    let difference: Double

    func timesLonger(than own: BenchModel.Result) -> Double {
      calls.median / max(own.median, 1e-9)
    }
  }

  /// What was measured, the sizes of calls in their order; empty with a note where there is no such library.
  ///
  /// - Parameters:
  ///   - path: of the model's file.
  ///   - rows: as the model takes them.
  static func measure(
    _ model: Model, path: String, _ rows: [Double], batches: [Int], repeats: Int, threads: Int,
    _ invocation: Invocation
  ) throws(Failure) -> [Figure] {
    guard model.format != "ensemble" else {
      invocation.messages.note("--peers: no library has a model of several files")
      return []
    }
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
    let folder = try PeerFolder(invocation)
    defer { folder.remove() }
    try folder.write(rows + margins)
    let words = [
      "python3", "-c", PeerScript.text, path, model.format, folder.data, "\(count)",
      "\(model.inputCount)", "\(model.outputCount)",
      batches.map(String.init).joined(separator: ","), "\(repeats)", "\(threads)",
    ]
    let process: ChildProcess
    do throws(SystemError) {
      process = try ChildProcess(
        words, environment: invocation.environment, output: folder.figures)
    } catch {
      invocation.messages.note("--peers: python3: \(error.reason)")
      return []
    }
    while !process.hasEnded, !Signals.sleep(milliseconds: 5) {}
    process.stop()
    if let status = Signals.drainStatus { throw Failure(status, "--peers: told to end") }
    return try read(folder, repeats: repeats, threads: threads, invocation)
  }

  private static func read(
    _ folder: PeerFolder, repeats: Int, threads: Int, _ invocation: Invocation
  ) throws(Failure) -> [Figure] {
    var plan = FieldPlan()
    let names = ["error", "peer", "batch", "rows", "best", "median", "p50", "p99", "difference"]
    let slots = Dictionary(uniqueKeysWithValues: names.map { ($0, plan.slot([$0])) })
    let scanner = RecordScanner(plan)
    let reader = LineReader(try DescriptorSource.file(folder.figures))
    var figures: [Figure] = []
    while let line = try reader.next() {
      guard (try? scanner.scan(line.bytes, padding: LineReader.padding)) != nil else { continue }
      func number(_ name: String) -> Double { scanner.scalar(slots[name]!)?.number ?? .nan }
      if scanner.has(slots["error"]!) {
        invocation.messages.note("--peers: \(scanner.text(slots["error"]!).string)")
        return []
      }
      figures.append(
        Figure(
          peer: scanner.text(slots["peer"]!).string,
          calls: BenchModel.CallFigures(
            batch: Int(number("batch")), rows: Int(number("rows")), threads: threads,
            repeats: repeats, best: number("best"), median: number("median"),
            p50: UInt64(number("p50")), p99: UInt64(number("p99"))),
          difference: number("difference")))
    }
    if figures.isEmpty { invocation.messages.note("--peers: python3 measured nothing") }
    return figures
  }
}

// MARK: Printing

extension ModelPeer {
  static func append(
    _ figure: Figure, _ path: String, beside result: BenchModel.Result, to output: OutputBuffer
  ) {
    output.append("{\"kind\":\"summary\",\"what\":\"peer\",\"model\":")
    output.appendQuoted(path)
    output.append(",\"peer\":")
    output.appendQuoted(figure.peer)
    figure.calls.append(to: output)
    output.append(",\"times_longer\":")
    output.append(figure.timesLonger(than: result))
    output.append(",\"largest_difference\":")
    output.append(figure.difference)
    output.append("}\n")
  }

  static func table(_ figures: [Figure], beside results: [BenchModel.Result]) -> String {
    guard let first = figures.first else { return "" }
    var text =
      "\n\(first.peer) in Python, the same rows; its margins differ by \(first.difference.short) at most\n\n"
      + "  batch             \(BenchModel.CallFigures.header)  times longer\n"
    for (figure, result) in zip(figures, results) {
      text += "  \(Help.padded(figure.calls.batch.grouped, 17))" + figure.calls.cells
      text += " " + figure.timesLonger(than: result).fixed(1).leftPadded(13) + "\n"
    }
    return text
  }
}

/// What goes to Python and what comes back, for nobody else to read, and as long as it takes.
private struct PeerFolder {
  private let path: String
  var data: String { "\(path)/rows" }
  var figures: String { "\(path)/figures" }

  init(_ invocation: Invocation) throws(Failure) {
    let parent = invocation.environment["TMPDIR"] ?? "/tmp"
    path = "\(parent)/rtinfer-peers-\(getpid())-\(invocation.clock.monotonicNanoseconds())"
    guard mkdir(path, 0o700) == 0 else {
      throw .inputOutput("\(path): \(String(cString: strerror(errno)))")
    }
  }

  func write(_ numbers: [Double]) throws(Failure) {
    let output = OutputBuffer(try DescriptorSink.file(data))
    numbers.withUnsafeBytes { bytes in
      output.append(
        Bytes(base: bytes.bindMemory(to: UInt8.self).baseAddress!, count: bytes.count))
    }
    try output.flush()
  }

  func remove() {
    for file in [data, figures] { unlink(file) }
    rmdir(path)
  }
}
