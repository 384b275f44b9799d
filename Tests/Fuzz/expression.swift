// Expressions: any text is compiled or refused, and what is compiled can be evaluated over anything.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let text = String(decoding: UnsafeBufferPointer(start: data, count: count), as: UTF8.self)
  let types: [ValueType] = [.any, .int, .double, .string, .time, .bool]
  let names = ["a", "b", "c", "d", "e", "f"]
  let scope = Scope(names: names) { path in
    guard path.count == 1, let slot = names.firstIndex(of: path[0]) else { return nil }
    return Binding(slot: slot, type: types[slot])
  }
  guard let expression = try? Expression(text, scope: scope) else { return 0 }
  let stack = ExpressionStack()
  let records: [[Scalar]] = [
    Array(repeating: .null, count: 6),
    [
      .int(.min), .int(-1), .double(1e308), .text(Bytes("text")),
      .time(Timestamp(microseconds: .min)), .bool(true),
    ],
    [
      .text(Bytes("")), .int(.max), .double(-0.0), .text(Bytes("é")),
      .time(Timestamp(microseconds: .max)), .bool(false),
    ],
  ]
  for record in records {
    stack.reset()
    _ = record.withUnsafeBufferPointer { expression.evaluate($0.baseAddress!, stack) }
  }
  return 0
}
