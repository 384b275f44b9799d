// Lines of JSON: the scanner that has learned from earlier inputs must say the same as a fresh one, and what is
// accepted must be read the same way when it is written again.

nonisolated(unsafe) private let learned = RecordScanner(plan())

private func plan() -> FieldPlan {
  var plan = FieldPlan()
  for path in [["id"], ["time"], ["_rt", "offset"], ["a", "b", "c"]] { _ = plan.slot(path) }
  return plan
}

private func outcome(_ scanner: RecordScanner, _ line: Bytes, padding: Int) -> String {
  do {
    try scanner.scan(line, padding: padding)
  } catch {
    return error.description
  }
  var text = scanner.members.map { "\($0.start) \($0.end)" }.joined(separator: ",")
  for slot in 0..<4 {
    text += "|\(scanner.raw(slot).kind) \(scanner.raw(slot).bytes.string)"
    if let value = scanner.scalar(slot) { text += " \(value.type)" }
  }
  return text
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // Padding as a reader gives it, so that reading beyond it is noticed.
  let padded =
    Array(UnsafeBufferPointer(start: data, count: count)) + [UInt8](repeating: 0x31, count: 16)
  padded.withBytes { bytes in
    let line = bytes[0..<count]
    let fresh = outcome(RecordScanner(plan()), line, padding: 0)
    precondition(
      outcome(learned, line, padding: 16) == fresh, "learned and fresh scanners disagree")
    let output = OutputBuffer(MemorySink())
    guard (try? learned.scan(line)) != nil else { return }
    _ = learned.appendOpen(to: output, keeping: learned.keepingAll(but: "_rt"))
    output.append("}")
    let again = RecordScanner(plan())
    precondition((try? again.scan(output.pending)) != nil, "what is written again cannot be read")
  }
  return 0
}
