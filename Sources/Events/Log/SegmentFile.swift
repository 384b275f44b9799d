// One segment, read batch by batch through a window of the file that moves forward. Every batch is checked
// before anything in it is believed.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

final class SegmentFile {
  let base: Int64
  let path: String
  private let file: any File
  private let folder: LogFolder
  private var window: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var start = 0
  private var count = 0

  /// Nil when there is no such segment (any more).
  init?(_ folder: LogFolder, base: Int64, windowBytes: Int = Limits.readBytes) throws(Failure) {
    let path = folder.segment(base)
    do throws(SystemError) {
      file = try folder.files.open(path, .read)
    } catch {
      if error.isMissingFile { return nil }
      throw folder.failure(error, path)
    }
    self.base = base
    self.path = path
    self.folder = folder
    capacity = windowBytes
    window = .allocate(capacity: windowBytes)
  }

  deinit { window.deallocate() }

  func size() throws(Failure) -> Int {
    try folder.attempt(path) { () throws(SystemError) in try file.size() }
  }

  /// What was read before may have changed: it was at the end of a file that grows.
  func forgetWindow() { count = 0 }

  /// Borrowed until the next call; nil where the file ends before.
  func bytes(at position: Int, count wanted: Int) throws(Failure) -> Bytes? {
    if position < start || position + wanted > start + count {
      try load(position, wanted)
    }
    guard position + wanted <= start + count else { return nil }
    return Bytes(base: UnsafePointer(window + (position - start)), count: wanted)
  }

  private func load(_ position: Int, _ wanted: Int) throws(Failure) {
    // What is here already need not be read again.
    let kept = position >= start && position < start + count ? start + count - position : 0
    if wanted > capacity {
      let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
      if kept > 0 { larger.update(from: window + (position - start), count: kept) }
      window.deallocate()
      window = larger
      capacity = wanted
    } else if kept > 0 {
      window.update(from: window + (position - start), count: kept)
    }
    start = position
    count = kept
    while count < wanted {
      let free = UnsafeMutableRawBufferPointer(start: window + count, count: capacity - count)
      let read = try folder.attempt(path) { () throws(SystemError) in
        try file.read(into: free, at: start + count)
      }
      if read == 0 { return }
      count += read
    }
  }

  // MARK: Batches

  func segmentHeader() throws(Failure) -> SegmentHeader? {
    guard let bytes = try bytes(at: 0, count: SegmentHeader.byteCount) else { return nil }
    do throws(SegmentHeader.Problem) {
      let header = try SegmentHeader(bytes)
      return header.base == base ? header : nil
    } catch {
      guard case .unknownVersion(let version) = error else { return nil }
      throw .inputOutput(
        "\(path): a log of version \(version), this rtinfer reads version \(SegmentHeader.version)",
        hint: "read it with the rtinfer that wrote it, or a newer one")
    }
  }

  func batchHeader(at position: Int) throws(Failure) -> BatchHeader? {
    try bytes(at: position, count: BatchHeader.byteCount).flatMap { BatchHeader($0) }
  }

  enum Found {
    case batch(BatchHeader, body: Bytes)
    /// The file ends here, with nothing left over.
    case end
    case damage(String)
  }

  /// The batch at `position`, checked; the body is borrowed until the next call.
  ///
  /// - Parameter expected: the offset that the batch must begin with.
  func batch(at position: Int, expecting expected: Int64) throws(Failure) -> Found {
    guard let header = try batchHeader(at: position) else {
      let left = try size() - position
      if left <= 0 { return .end }
      return .damage(
        left < BatchHeader.byteCount
          ? "the last \(left) bytes are no whole batch header"
          : "no batch header stands there, or its checksum does not hold")
    }
    guard header.base == expected else {
      return .damage("the batch begins with offset \(header.base)")
    }
    guard
      let body = try bytes(at: position + BatchHeader.byteCount, count: header.bodyBytes)
    else {
      let left = try size() - position
      return .damage("only \(left) of the batch's \(header.byteCount) bytes are there")
    }
    guard CRC32C.of(body) == header.bodyChecksum else {
      return .damage("the batch's checksum does not hold")
    }
    guard SegmentFile.addUp(header, body) else {
      return .damage("the batch's lines are not as long as its entries say")
    }
    return .batch(header, body: body)
  }

  private static func addUp(_ header: BatchHeader, _ body: Bytes) -> Bool {
    var bytes = header.count * BatchHeader.entryBytes
    for number in 0..<header.count {
      bytes += Int(body.uint32(number * BatchHeader.entryBytes + 16))
    }
    return bytes == body.count
  }

  /// What whole batch headers behind a damaged place say.
  struct Beyond: Equatable {
    /// True if one says that the place was on the disk before it was written.
    var provesSync = false
    /// Events of the batches that are whole.
    var events = 0
  }

  /// Looks for batches behind a place where none could be read.
  ///
  /// - Complexity: O(bytes to the segment's end).
  func beyond(_ position: Int) throws(Failure) -> Beyond {
    var result = Beyond()
    var next = position + 1
    while let found = try marker(from: next) {
      next = found + 1
      guard let header = try batchHeader(at: found) else { continue }
      if header.synced > position { result.provesSync = true }
      guard let body = try bytes(at: found + BatchHeader.byteCount, count: header.bodyBytes),
        CRC32C.of(body) == header.bodyChecksum
      else { continue }
      result.events += header.count
      next = found + header.byteCount
    }
    return result
  }

  /// Where the next marker stands, from `position` on.
  private func marker(from position: Int) throws(Failure) -> Int? {
    let marker = BatchHeader.markerBytes
    let end = try size()
    var place = position
    while place + marker.count <= end {
      guard let bytes = try bytes(at: place, count: min(Limits.readBytes, end - place)) else {
        return nil
      }
      var index = 0
      while index + marker.count <= bytes.count {
        guard let hit = memchr(bytes.base + index, Int32(marker[0]), bytes.count - index) else {
          index = bytes.count - marker.count + 1
          break
        }
        index = UnsafeRawPointer(hit) - UnsafeRawPointer(bytes.base)
        guard index + marker.count <= bytes.count else { break }
        if bytes[index..<index + marker.count].buffer.elementsEqual(marker) { return place + index }
        index += 1
      }
      place += max(index, 1)
    }
    return nil
  }
}
