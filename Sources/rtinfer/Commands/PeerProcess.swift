// --peers: what others make of the same calls, measured right after ours, by Python in a process of its own. What its calls
// cost in Python is in its figures, as it is for those who call it there.

import Core
import Measure

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Calls of ours that a peer makes as well.
struct OwnCalls {
  let batch: Int
  /// Of one repeat.
  let rows: Int
  let threads: Int
  let repeats: Int
  /// Microseconds a row.
  let median: Double
}

struct PeerFigure {
  /// The library and its version.
  let peer: String
  let calls: BenchModel.CallFigures
  /// Between its answers and ours, over all rows; nil where some are not finite, and not the same, or where the peer was given
  /// ours.
  let difference: Double?
  /// Of the same calls.
  let own: OwnCalls

  var timesLonger: Double { calls.median / max(own.median, 1e-9) }
}

enum PeerProcess {
  /// What was measured, in the order of our own calls; where something is missing, a note says why, and no failure of the
  /// library or of Python is one of ours.
  ///
  /// - Parameter words: writes what Python is to read into the folder and gives the script with its arguments.
  static func measure(
    beside own: [OwnCalls], _ invocation: Invocation,
    _ words: (PeerFolder) throws(Failure) -> [String]
  ) -> [PeerFigure] {
    do throws(Failure) {
      let folder = try PeerFolder(invocation)
      defer { folder.remove() }
      let ending = try run(["python3", "-c"] + words(folder), invocation.environment)
      guard Signals.drainStatus == nil else {
        note("told to end", invocation)
        return []
      }
      let told = Told(folder)
      let figures = told.figures(beside: own)
      if let lack = told.lack(figures, of: own, ending) { note(lack, invocation) }
      return figures
    } catch {
      note(error.message, invocation)
      return []
    }
  }

  static func note(_ text: String, _ invocation: Invocation) {
    invocation.messages.note("--\(BenchModel.peers.name): \(text)")
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

/// What Python has written.
private struct Told {
  /// In its order; who is to compare with them is not known yet.
  var calls: [(peer: String, calls: CallNumbers, difference: Double?)] = []
  /// Why there is no more.
  var error: String?

  /// Each with our own result of the same calls.
  func figures(beside own: [OwnCalls]) -> [PeerFigure] {
    var left = calls
    return own.compactMap { own in
      let place = left.firstIndex { $0.calls.batch == own.batch && $0.calls.rows == own.rows }
      return place.map { place in
        let found = left.remove(at: place)
        return PeerFigure(
          peer: found.peer, calls: found.calls.figures(own), difference: found.difference, own: own)
      }
    }
  }

  /// Why figures are missing; nil where none are.
  func lack(
    _ figures: [PeerFigure], of own: [OwnCalls], _ ending: ChildProcess.Ending?
  ) -> String? {
    guard figures.count < own.count else { return nil }
    let why = error ?? "python3 \((ending ?? .unknown).description)"
    guard !figures.isEmpty else {
      return error ?? "\(why), and nothing was measured"
    }
    var left = figures.map(\.own.batch)
    let missing = own.map(\.batch).filter { batch in
      guard let place = left.firstIndex(of: batch) else { return true }
      left.remove(at: place)
      return false
    }
    return "\(why); not measured: calls of \(missing.map(\.grouped).joined(separator: ", ")) rows"
  }

  /// Of a file that a Python which was ended may have left in the middle of a line, or not have made.
  init(_ folder: PeerFolder) {
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
    guard let source = try? DescriptorSource.file(folder.figures) else { return }
    let reader = LineReader(source)
    while let line = try? reader.next() {
      guard (try? scanner.scan(line.bytes, padding: LineReader.padding)) != nil else { continue }
      self.error = self.error ?? text(error)
      guard let peer = text(peer), let batch = number(0).flatMap({ Int(exactly: $0) }),
        let rows = number(1).flatMap({ Int(exactly: $0) }),
        let p50 = number(2).flatMap({ UInt64(exactly: $0) }),
        let p99 = number(3).flatMap({ UInt64(exactly: $0) }), let best = number(4),
        let median = number(5)
      else { continue }
      let call = CallNumbers(
        batch: batch, rows: rows, best: best, median: median, p50: p50, p99: p99)
      calls.append((peer, call, number(6)))
    }
  }
}

private struct CallNumbers {
  let batch: Int
  let rows: Int
  let best: Double
  let median: Double
  let p50: UInt64
  let p99: UInt64

  func figures(_ own: OwnCalls) -> BenchModel.CallFigures {
    BenchModel.CallFigures(
      batch: batch, rows: rows, threads: own.threads, repeats: own.repeats, best: best,
      median: median, p50: p50, p99: p99)
  }
}

// MARK: Writing

/// What goes to Python and what comes back, for nobody else to read, and as long as it takes.
struct PeerFolder {
  private let path: String
  /// Numbers, row by row.
  var rows: String { "\(path)/rows" }
  /// Anything as JSON, line by line.
  var lines: String { "\(path)/lines" }
  var figures: String { "\(path)/figures" }

  fileprivate init(_ invocation: Invocation) throws(Failure) {
    let named = invocation.environment["TMPDIR"] ?? ""
    let parent = named.isEmpty ? "/tmp" : named
    path = "\(parent)/rtinfer-peers-\(getpid())-\(invocation.clock.monotonicNanoseconds())"
    guard mkdir(path, 0o700) == 0 else {
      throw .inputOutput("\(path): \(String(cString: strerror(errno)))")
    }
  }

  func write(rows numbers: [Double]) throws(Failure) {
    let output = OutputBuffer(try DescriptorSink.file(rows))
    numbers.withUnsafeBytes { bytes in
      output.append(
        Bytes(base: bytes.bindMemory(to: UInt8.self).baseAddress!, count: bytes.count))
    }
    try output.flush()
  }

  func write(lines text: Bytes) throws(Failure) {
    let output = OutputBuffer(try DescriptorSink.file(lines))
    output.append(text)
    try output.flush()
  }

  fileprivate func remove() {
    for file in [rows, lines, figures] { unlink(file) }
    rmdir(path)
  }
}
