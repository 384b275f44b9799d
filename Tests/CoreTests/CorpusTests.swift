// What fuzzing has found (Tests/Fuzz/run), met again: one file a finding, kept under Fixtures/corpus/<target>.

import Core
import Foundation
import TestSupport
import Testing

@Suite struct CorpusTests {
  private static func files(_ target: String) -> [URL] {
    let folder = Fixtures.root.appending(path: "corpus/\(target)")
    let files = try? FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    return (files ?? []).sorted { $0.path < $1.path }
  }

  private final class Pieces: ByteSource {
    let name = "corpus"
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

  @Test(arguments: files("csv")) func tablesDoNotDependOnHowTheyArrive(_ file: URL) throws {
    let bytes = Array(try Data(contentsOf: file))
    for size in [1, 7, 1000] { #expect(rows(bytes, size: size) == rows(bytes, size: 64)) }
  }
}
