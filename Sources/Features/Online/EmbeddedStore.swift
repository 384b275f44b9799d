// Writing to the folder of an embedded store, on from where it was left, or anew beside what serves meanwhile.

public import Core

extension OnlineWriter {
  /// - Parameter rebuilds: new files are made, and take the others' places when all events are in.
  public convenience init(
    _ engine: FeatureEngine, folder: OnlineFolder, rebuilds: Bool
  ) throws(Failure) {
    let lock = try folder.takeLock()
    let boot = MappedFile.bootIdentity(folder.files)
    var sinks: [any RowSink] = []
    for state in engine.states {
      sinks.append(
        try EmbeddedTable(state, folder: folder, rebuilds: rebuilds, boot: boot, lock: lock))
    }
    try self.init(engine, sinks: sinks)
  }
}

/// The file of one view.
private final class EmbeddedTable: RowSink {
  private let writer: TableWriter
  private let folder: OnlineFolder
  private let view: String
  private let lock: any FileLock
  /// Whether the file has yet to take its place.
  private let isNew: Bool

  init(
    _ state: ViewState, folder: OnlineFolder, rebuilds: Bool, boot: UInt64, lock: any FileLock
  ) throws(Failure) {
    self.folder = folder
    self.lock = lock
    view = state.view.name
    isNew = rebuilds
    let digest = state.view.digest
    if !rebuilds, folder.files.exists(folder.table(view)) {
      writer = try TableWriter(
        resuming: folder.table(view), digest: digest, files: folder.files, boot: boot)
      return
    }
    writer = try TableWriter(
      new: folder.newTable(view), view: view, digest: digest, timeToLive: state.reach, boot: boot)
    // Nothing is there that could serve meanwhile.
    if !rebuilds { try takePlace() }
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
