// Memory beyond its bound lies in files that nobody sees; where none can be had it is ordinary, and says so.

import Core
import Foundation
import TestSupport
import Testing

#if os(Linux)
  @Suite struct SpillMemoryTests {
    private func fill(_ block: SpillMemory.Block, _ byte: UInt8) {
      UnsafeMutableRawBufferPointer(start: block.base, count: block.byteCount)
        .initializeMemory(as: UInt8.self, repeating: byte)
    }

    private func isAll(_ block: SpillMemory.Block, _ byte: UInt8) -> Bool {
      UnsafeRawBufferPointer(start: block.base, count: block.byteCount).allSatisfy { $0 == byte }
    }

    @Test func whatIsBeyondTheBoundLiesInFilesWithoutAName() throws {
      let folder = try TemporaryFolder()
      let memory = SpillMemory(folder: folder.url.path(), bytesMax: 100_000)
      let blocks = (1...5).map { _ in memory.allocate(byteCount: 40_000, spilled: 50_000) }
      #expect(blocks.map(\.isSpilled) == [false, false, true, true, true])
      #expect(memory.heldBytes == 80_000 && memory.spilledBytes == 150_000)
      #expect(blocks[2...].allSatisfy { isAll($0, 0) })
      for (index, block) in blocks.enumerated() { fill(block, UInt8(index)) }
      for (index, block) in blocks.enumerated() { #expect(isAll(block, UInt8(index))) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path()).isEmpty)
      #expect(memory.trouble == nil)
      memory.free(blocks[0])
      #expect(!memory.allocate(byteCount: 40_000).isSpilled)
      for block in blocks[1...] { memory.free(block) }
      #expect(memory.heldBytes == 40_000 && memory.spilledBytes == 0)
    }

    @Test func aFolderThatTakesNoFilesIsNamed() {
      let memory = SpillMemory(folder: "/nowhere", bytesMax: 0)
      let block = memory.allocate(byteCount: 10_000)
      fill(block, 7)
      #expect(!block.isSpilled && isAll(block, 7) && memory.heldBytes == 10_000)
      #expect(memory.trouble == "/nowhere: No such file or directory")
      memory.free(block)
    }
  }
#endif
