// Every line of the inputs, handed to whoever understands it; what nobody does is rejected with its reason and place.

import Core

enum RecordLines {
  /// - Parameter take: says why the line cannot be used; nil where it was.
  static func read(
    _ invocation: Invocation, _ files: [String], _ take: (Line) -> String?
  ) throws(Failure) -> ExitStatus {
    let rejects = try Rejects(invocation)
    let progress = Progress(invocation)
    for source in try invocation.inputs(files) {
      let reader = LineReader(source)
      while let line = try reader.next() {
        let isTooLong = line.fault == .tooLong
        if let reason = isTooLong ? "longer than \(Limits.lineBytesMax) bytes" : take(line) {
          try rejects.add(
            reason, source: source.name, line: line.number, byte: line.offset, raw: line.bytes)
        }
        progress.advance()
      }
    }
    progress.finish()
    return try rejects.finish(total: progress.count)
  }
}
