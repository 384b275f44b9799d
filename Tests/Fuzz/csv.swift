// Tables: any bytes, read in pieces of any size, give the same rows.

private final class Pieces: ByteSource {
  let name = "fuzz"
  private let bytes: [UInt8]
  private let size: Int
  private var position = 0

  init(_ bytes: [UInt8], size: Int) {
    self.bytes = bytes
    self.size = size
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    let count = min(size, buffer.count, bytes.count - position)
    buffer.copyBytes(from: bytes[position..<position + count])
    position += count
    return count
  }

  func mustWait() throws(Failure) -> Bool { false }
}

private func rows(_ bytes: [UInt8], size: Int) -> [String] {
  let table = CSVReader(LineReader(Pieces(bytes, size: size), lineBytesMax: 200, readBytes: 16))
  var result: [String] = []
  while let next = try? table.next() {
    switch next {
    case .success(let row):
      result.append("\(row.line) \(row.offset) \(row.cells.map(\.string))")
    case .failure(let fault): result.append("\(fault.line) \(fault.offset) \(fault.reason)")
    }
  }
  return result
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  precondition(rows(bytes, size: 1) == rows(bytes, size: 1000), "rows depend on how they arrive")
  return 0
}
