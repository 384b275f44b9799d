// HTTP: any bytes are requests or refused, the same ones in whatever pieces they arrive, and no request has a body
// larger than the limit.

private func requests(_ bytes: [UInt8], pieces: Int) -> [String] {
  let outbox = Outbox()
  let connection = Connection(
    slot: 0, outbox: outbox, dateLine: DateLine(), bodyBytesMax: 512, now: 0)
  var result: [String] = []
  var begin = 0
  while begin < bytes.count, connection.phase == .reading {
    let room = connection.room()
    let count = min(pieces, room.count, bytes.count - begin)
    room.copyBytes(from: bytes[begin..<begin + count])
    begin += count
    connection.received(count, now: 0)
    while let request = connection.nextRequest() {
      precondition(request.body.count <= 512, "the limit holds")
      var line = "\(request.method) \(request.path.string) \(request.query.string)"
      for known in KnownField.allCases { line += "|\(request.field(known)?.string ?? "-")" }
      result.append("\(line) \(request.body.string)")
      connection.respond(.ok, .json, body: .empty)
    }
  }
  // Dates are of the epoch, so what was answered is the same too; whether a body was asked for depends on the
  // pieces.
  let output = connection.pendingOutput.string.split(separator: "HTTP/1.1 ").filter {
    !$0.hasPrefix("100 ")
  }
  return result + output.map(String.init)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  let whole = requests(bytes, pieces: 1_000_000)
  precondition(requests(bytes, pieces: 1) == whole, "requests depend on how they arrive")
  precondition(requests(bytes, pieces: 7) == whole, "requests depend on how they arrive")
  return 0
}
