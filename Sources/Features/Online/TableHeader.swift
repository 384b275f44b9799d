// The part of a store's file that says what it is, and whether it can be believed.

import Core

enum TableHeader {
  static func write(
    to memory: TableMemory, view: String, digest: [UInt8], timeToLive: TimeSpan?
  ) {
    var bytes = StateWriter(strings: ByteTable())
    digest.withBytes { bytes.write($0) }
    bytes.write(timeToLive?.microseconds ?? .max)
    let name = Array(view.utf8.prefix(TableLayout.nameBytesMax))
    bytes.write(UInt32(name.count))
    name.withBytes { bytes.write($0) }
    memory.base.copyMemory(
      from: UnsafeRawPointer(TableLayout.magic.utf8Start), byteCount: 8)
    memory.setNumber(Int(TableLayout.version), at: 8)
    bytes.bytes.withUnsafeBytes {
      (memory.base + 16).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
    }
    memory.setNumber(Int(CRC32C.of(memory.bytes(16, 192 - 16))), at: 12)
  }

  /// Of the definition by which the rows were written. Refuses what is no such file.
  static func digest(_ memory: TableMemory, path: String) throws(Failure) -> [UInt8] {
    guard memory.count >= TableLayout.heap, memory.bytes(0, 8) == Bytes(TableLayout.magic) else {
      throw .badData("\(path): is no online store")
    }
    let version = memory.number(8)
    guard version == TableLayout.version else {
      throw .badData(
        "\(path): is of version \(version), this rtinfer reads \(TableLayout.version)",
        hint: "rtinfer materialize backfill writes it anew")
    }
    guard memory.number(12) == Int(CRC32C.of(memory.bytes(16, 192 - 16))),
      Int(memory[.end]) <= memory.count
    else {
      throw .badData(
        "\(path): its head is damaged", hint: "rtinfer materialize backfill writes it anew")
    }
    return memory.bytes(16, 32).copy()
  }

  /// Refuses what is no such file, or of another definition.
  ///
  /// - Returns: the rows' time to live.
  static func check(
    _ memory: TableMemory, path: String, digest: [UInt8]
  ) throws(Failure) -> TimeSpan? {
    guard try self.digest(memory, path: path) == digest else {
      let name = memory.bytes(60, min(memory.number(56), TableLayout.nameBytesMax)).string
      throw .badData(
        "\(path): holds the view '\(name)' by another definition than the project's",
        hint: "rtinfer materialize backfill writes it anew; the old one serves until it is done")
    }
    let span = Int64(bitPattern: memory.long(48))
    return span == .max ? nil : TimeSpan(microseconds: span)
  }

  /// Refuses what may have lost writes in a power cut.
  static func checkTrust(
    _ memory: TableMemory, path: String, files: any FileSystem
  ) throws(Failure) {
    guard memory[.isClean] == 0 else { return }
    let boot = MappedFile.bootIdentity(files)
    guard boot == 0 || memory[.boot] != boot else { return }
    throw .badData(
      "\(path): the machine went down while it was written, so it may lack events",
      hint: "rtinfer materialize backfill writes it anew from the events")
  }
}
