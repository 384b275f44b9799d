// Writing to the folder of an embedded store, on from where it was left, or anew beside what serves meanwhile.

public import Core

extension OnlineWriter {
  /// - Parameter rebuilds: new files are made, and take the others' places when all events are in.
  public convenience init(
    _ engine: FeatureEngine, folder: OnlineFolder, rebuilds: Bool
  ) throws(Failure) {
    let lock = try folder.takeLock()
    let boot = MappedFile.bootIdentity(folder.files)
    var sinks: [EmbeddedTable?] = []
    let tables = engine.states.map(\.table) + engine.joins.map(\.table)
    for table in tables {
      let isKnown = !rebuilds && folder.files.exists(folder.table(table.name))
      guard isKnown else {
        sinks.append(nil)
        continue
      }
      sinks.append(try EmbeddedTable(resuming: table, folder: folder, boot: boot, lock: lock))
    }
    let known = sinks.compactMap { $0 }
    var all: [any RowSink] = []
    for (table, sink) in zip(tables, sinks) {
      if sink == nil, let other = known.first(where: { $0.offset >= 0 }) {
        throw .badData(
          "\(folder.path): holds nothing of the view '\(table.name)', and is true up to event \(other.offset)",
          hint: "rtinfer materialize backfill writes the store anew, with all views")
      }
      if let sink {
        all.append(sink)
      } else {
        all.append(
          try EmbeddedTable(
            making: table, folder: folder, takesPlace: !rebuilds, boot: boot, lock: lock))
      }
    }
    try self.init(engine, sinks: all)
  }
}

/// The file of one view, or of one join.
private final class EmbeddedTable: RowSink {
  private let writer: TableWriter
  private let folder: OnlineFolder
  private let view: String
  private let lock: any FileLock
  /// Whether the file has yet to take its place.
  private let isNew: Bool

  /// Goes on with what is there.
  init(
    resuming table: StoredTable, folder: OnlineFolder, boot: UInt64, lock: any FileLock
  ) throws(Failure) {
    self.folder = folder
    self.lock = lock
    view = table.name
    isNew = false
    writer = try TableWriter(
      resuming: folder.table(view), digest: table.digest, files: folder.files, boot: boot)
  }

  /// - Parameter takesPlace: at once, since nothing is there that could serve meanwhile.
  init(
    making table: StoredTable, folder: OnlineFolder, takesPlace: Bool, boot: UInt64,
    lock: any FileLock
  ) throws(Failure) {
    self.folder = folder
    self.lock = lock
    view = table.name
    isNew = !takesPlace
    writer = try TableWriter(
      new: folder.newTable(view), view: view, digest: table.digest, timeToLive: table.timeToLive,
      boot: boot)
    if takesPlace { try takePlace() }
  }

  var name: String { writer.path }
  var offset: Int64 { writer.offset }
  var watermark: Timestamp { writer.watermark }

  func put(_ key: Bytes, _ row: Bytes, order _: Int64) throws(Failure) { try writer.put(key, row) }

  func commit(offset: Int64, watermark: Timestamp) {
    writer.commit(offset: offset, watermark: watermark)
  }

  func visitRows(_ body: (Bytes, Bytes) -> Bool) -> Int { writer.visitRows(body) }

  func finish() throws(Failure) {
    try writer.close()
    if isNew { try takePlace() }
  }

  func abandon() {
    if isNew { try? folder.files.remove(folder.newTable(view)) }
  }

  /// From now on readers find this file; those that have the other one open see that it is retired.
  private func takePlace() throws(Failure) {
    let path = folder.table(view)
    let before = try? MappedFile(path, .write)
    writer.state = .serving
    do throws(SystemError) {
      try folder.files.rename(folder.newTable(view), to: path)
      try folder.files.syncFolder(folder.path)
    } catch {
      throw .inputOutput("\(path): \(error.call): \(error.reason)")
    }
    if let before, before.count >= TableLayout.heap {
      TableMemory(base: before.base, count: before.count)[.state] = TableState.retired.rawValue
    }
  }
}
