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
    /// Between its margins and ours, over all rows, of ONNX between scores; nil where some are not finite, and not the same.
    let difference: Double?
    /// Of the same calls.
    let own: BenchModel.Result

    var timesLonger: Double { calls.median / max(own.median, 1e-9) }
  }

  /// What was measured, in the order of our own results; where something is missing, a note says why, and no failure of the
  /// library or of Python is one of ours.
  ///
  /// - Parameters:
  ///   - path: of the model's file.
  ///   - rows: as the model takes them.
  static func measure(
    _ model: Model, path: String, _ rows: [Double], beside results: [BenchModel.Result],
    threads: Int, _ invocation: Invocation
  ) -> [Figure] {
    let note = { (text: String) in invocation.messages.note("--\(BenchModel.peers.name): \(text)") }
    guard model.format != "ensemble" else {
      note("no library has a model of several files")
      return []
    }
    guard isPlainFile(path) else {
      note("\(path) is no plain file, so Python cannot read it once more")
      return []
    }
    do throws(Failure) {
      let folder = try PeerFolder(invocation)
      defer { folder.remove() }
      try folder.write(rows + margins(model, rows, threads: threads))
      let ending = try run(
        words(model, path, folder, rowCount: rows.count / model.inputCount, results, threads),
        invocation.environment)
      guard Signals.drainStatus == nil else {
        note("told to end")
        return []
      }
      let told = read(folder)
      let figures = told.figures(beside: results, threads: threads)
      if let lack = told.lack(figures, of: results, ending) { note(lack) }
      return figures
    } catch {
      note(error.message)
      return []
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

  private static func words(
    _ model: Model, _ path: String, _ folder: PeerFolder, rowCount: Int,
    _ results: [BenchModel.Result], _ threads: Int
  ) -> [String] {
    [
      "python3", "-c", PeerScript.text, path, model.format, folder.data, folder.figures,
      "\(rowCount)", "\(model.inputCount)", "\(model.outputCount)",
      "\(model.usedRounds.lowerBound)", "\(model.usedRounds.upperBound)",
      results.map { "\($0.batch)" }.joined(separator: ","), "\(results[0].repeats.count)",
      "\(threads)",
    ]
  }

  /// Waits for the end, or until a signal asks for draining.
  private static func run(
    _ words: [String], _ environment: [String: String]
  ) throws(Failure) -> ChildProcess.Ending? {
    do throws(SystemError) {
      let process = try ChildProcess(words, environment: environment)
      while !process.hasEnded, !Signals.sleep(milliseconds: 5) {}
      process.stop()
      return process.ending
    } catch {
      throw .inputOutput("python3: \(error.reason)")
    }
  }
}

// MARK: Reading

extension ModelPeer {
  /// What Python has written.
  private struct Told {
    /// In its order; who is to compare with them is not known yet.
    var calls: [(peer: String, calls: CallNumbers, difference: Double?)] = []
    /// Why there is no more.
    var error: String?

    /// Each with our own result of the same calls.
    func figures(beside results: [BenchModel.Result], threads: Int) -> [Figure] {
      var left = calls
      return results.compactMap { own in
        let place = left.firstIndex {
          $0.calls.batch == own.batch && $0.calls.rows == own.rows
        }
        return place.map { place in
          let found = left.remove(at: place)
          return Figure(
            peer: found.peer, calls: found.calls.figures(own, threads: threads),
            difference: found.difference, own: own)
        }
      }
    }

    /// Why figures are missing; nil where none are.
    func lack(
      _ figures: [Figure], of results: [BenchModel.Result], _ ending: ChildProcess.Ending?
    ) -> String? {
      guard figures.count < results.count else { return nil }
      let why = error ?? "python3 \((ending ?? .unknown).description)"
      guard !figures.isEmpty else {
        return error ?? "\(why), and nothing was measured"
      }
      var left = figures.map(\.own.batch)
      let missing = results.map(\.batch).filter { batch in
        guard let place = left.firstIndex(of: batch) else { return true }
        left.remove(at: place)
        return false
      }
      return "\(why); not measured: calls of \(missing.map(\.grouped).joined(separator: ", ")) rows"
    }
  }

  private struct CallNumbers {
    let batch: Int
    let rows: Int
    let best: Double
    let median: Double
    let p50: UInt64
    let p99: UInt64

    func figures(_ own: BenchModel.Result, threads: Int) -> BenchModel.CallFigures {
      BenchModel.CallFigures(
        batch: batch, rows: rows, threads: threads, repeats: own.repeats.count, best: best,
        median: median, p50: p50, p99: p99)
    }
  }

  /// Of a file that a Python which was ended may have left in the middle of a line, or not have made.
  private static func read(_ folder: PeerFolder) -> Told {
    var told = Told()
    var plan = FieldPlan()
    let (error, peer) = (plan.slot(["error"]), plan.slot(["peer"]))
    let numbers = ["batch", "rows", "p50", "p99", "best", "median", "difference"].map {
      plan.slot([$0])
    }
    let scanner = RecordScanner(plan)
    func text(_ slot: Int) -> String? {
      scanner.raw(slot).kind == .string ? scanner.text(slot).string : nil
    }
    func number(_ place: Int) -> Double? {
      guard scanner.raw(numbers[place]).kind == .number else { return nil }
      return scanner.scalar(numbers[place])?.number
    }
    guard let source = try? DescriptorSource.file(folder.figures) else { return told }
    let reader = LineReader(source)
    while let line = try? reader.next() {
      guard (try? scanner.scan(line.bytes, padding: LineReader.padding)) != nil else { continue }
      told.error = told.error ?? text(error)
      guard let peer = text(peer), let batch = number(0).flatMap({ Int(exactly: $0) }),
        let rows = number(1).flatMap({ Int(exactly: $0) }),
        let p50 = number(2).flatMap({ UInt64(exactly: $0) }),
        let p99 = number(3).flatMap({ UInt64(exactly: $0) }), let best = number(4),
        let median = number(5)
      else { continue }
      told.calls.append(
        (
          peer,
          CallNumbers(batch: batch, rows: rows, best: best, median: median, p50: p50, p99: p99),
          number(6)
        ))
    }
    return told
  }
}

// MARK: Printing

extension ModelPeer {
  static func append(_ figure: Figure, _ path: String, to output: OutputBuffer) {
    output.append("{\"kind\":\"summary\",\"what\":\"peer\",\"model\":")
    output.appendQuoted(path)
    output.append(",\"peer\":")
    output.appendQuoted(figure.peer)
    figure.calls.append(to: output)
    output.append(",\"times_longer\":")
    output.append(figure.timesLonger)
    output.append(",\"largest_difference\":")
    output.append(figure.difference.map { .double($0) } ?? .null)
    output.append("}\n")
  }

  static func table(_ figures: [Figure]) -> String {
    guard let first = figures.first else { return "" }
    let difference =
      first.difference.map { "its margins differ by \($0.short) at most" }
      ?? "some of its margins are not finite, and not the same"
    var text =
      "\n\(first.peer) in Python, the same rows; \(difference)\n\n"
      + "  batch             \(BenchModel.CallFigures.header)  times longer\n"
    for figure in figures {
      text += "  \(Help.padded(figure.calls.batch.grouped, 17))" + figure.calls.cells
      text += " " + figure.timesLonger.fixed(1).leftPadded(13) + "\n"
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
    let named = invocation.environment["TMPDIR"] ?? ""
    let parent = named.isEmpty ? "/tmp" : named
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
