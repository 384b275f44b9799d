// Rows of an embedded store written again as they are, for measuring how fast they are read meanwhile: each takes the way
// of an update (a free slot, the checksum, the entry of the index), and the store says the same before and after.

public import Core

public final class RowRewriter {
  private let lock: any FileLock
  private let writers: [TableWriter]
  private let rows: [(writer: Int, key: [UInt8], row: [UInt8])]
  private var next = 0

  /// Rows of one view that take turns; more say nothing new and cost memory.
  private static let rowsMax = 100_000

  /// Takes the store's lock: nobody else may be writing it.
  ///
  /// - Throws: where the store cannot be trusted, or has no rows.
  public init(_ views: [FeatureView], folder: OnlineFolder) throws(Failure) {
    lock = try folder.takeLock()
    let boot = MappedFile.bootIdentity(folder.files)
    var writers: [TableWriter] = []
    for view in views {
      writers.append(
        try TableWriter(
          resuming: folder.table(view.name), digest: view.digest, files: folder.files, boot: boot))
    }
    var ofViews: [[(writer: Int, key: [UInt8], row: [UInt8])]] = []
    for (index, writer) in writers.enumerated() {
      var some: [(writer: Int, key: [UInt8], row: [UInt8])] = []
      _ = writer.visitRows { key, row in
        if some.count < RowRewriter.rowsMax { some.append((index, key.copy(), row.copy())) }
        return true
      }
      ofViews.append(some)
    }
    // One of each view in turn, as events update them.
    let longest = ofViews.map(\.count).max() ?? 0
    rows = (0..<longest).flatMap { place in
      ofViews.compactMap { $0.isEmpty ? nil : $0[place % $0.count] }
    }
    self.writers = writers
    guard !rows.isEmpty else {
      throw .badData("\(folder.path): has no rows that could be updated")
    }
  }

  /// Writes the next so many rows.
  ///
  /// - Complexity: O(their bytes).
  public func rewrite(_ count: Int) throws(Failure) {
    for _ in 0..<count {
      let (writer, key, row) = rows[next]
      next = next + 1 == rows.count ? 0 : next + 1
      try key.withBytes { (key) throws(Failure) in
        try row.withBytes { (row) throws(Failure) in try writers[writer].put(key, row) }
      }
    }
  }

  /// Leaves the store as one that was closed.
  public func close() throws(Failure) {
    for writer in writers { try writer.close() }
  }
}
