// Reading from the folder of an embedded store: a table for each view, opened once. When another file takes a table's
// place it is opened instead; if that is of another definition, the old one goes on serving.

public import Core
public import Events

extension OnlineReader {
  /// - Parameters:
  ///   - views: the indices of those that are opened at once; nil: all. Others are when they are asked for.
  ///   - remembered: finished rows of each view that are kept.
  public convenience init(
    _ definitions: FeatureDefinitions, schema: EventSchema, folder: OnlineFolder,
    views: Set<Int>? = nil, remembered: Int = Limits.onlineRememberedRows
  ) throws(Failure) {
    let source = try EmbeddedSource(
      definitions.views, folder, wanted: views, remembered: remembered)
    self.init(definitions, schema: schema, source: source)
  }
}

final class EmbeddedSource: RowSource {
  private let views: [FeatureView]
  private let folder: OnlineFolder
  private var tables: [TableReader?]
  /// Tables whose successor is of another definition.
  private var isLast: [Bool]
  private let remembered: Int

  init(
    _ views: [FeatureView], _ folder: OnlineFolder, wanted: Set<Int>? = nil, remembered: Int = 0
  ) throws(Failure) {
    self.views = views
    self.folder = folder
    self.remembered = remembered
    tables = []
    isLast = Array(repeating: false, count: views.count)
    for (index, view) in views.enumerated() {
      let isWanted = wanted?.contains(index) ?? true
      tables.append(isWanted ? try EmbeddedSource.open(view, folder) : nil)
    }
  }

  static func open(_ view: FeatureView, _ folder: OnlineFolder) throws(Failure) -> TableReader {
    try TableReader(
      folder.table(view.name), view: view.name, digest: view.digest, files: folder.files)
  }

  private func table(_ view: Int) -> TableReader {
    guard let table = tables[view] else {
      preconditionFailure("a view that was fetched from")
    }
    if table.isRetired, !isLast[view] { return successor(view, table) }
    return table
  }

  @inline(never)
  private func successor(_ view: Int, _ table: TableReader) -> TableReader {
    do throws(Failure) {
      let next = try EmbeddedSource.open(views[view], folder)
      tables[view] = next
      return next
    } catch {
      // Badly readable for a moment, or for good: what is open serves on.
      isLast[view] = error.status == .badData
      return table
    }
  }

  func fetch(_ keys: AskedKeys) throws(Failure) {
    for index in 0..<keys.count where tables[keys.view(index)] == nil {
      let view = keys.view(index)
      tables[view] = try EmbeddedSource.open(views[view], folder)
    }
  }

  func row(_ view: Int, _ key: Bytes) -> FoundRow { table(view).find(key) }
  func age(_: Int, _: Bytes) -> TimeSpan? { nil }
  func timeToLive(_ view: Int) -> TimeSpan? { table(view).timeToLive }

  func committed(_ view: Int) -> (offset: Int64, watermark: Timestamp) {
    let table = table(view)
    return (table.offset, table.watermark)
  }

  func recall(_ view: Int, _ key: Bytes, at time: Timestamp) -> RecalledRow? {
    table(view).recall(key, at: time)
  }

  func remember(_ view: Int, _ key: Bytes, _ finished: FinishedRow, _ values: ArraySlice<Scalar>) {
    guard remembered > 0 else { return }
    table(view).remember(key, finished, values, rows: remembered)
  }
}

extension OnlineFolder {
  /// Looks at every row of a view.
  public func statistics(_ view: FeatureView) throws(Failure) -> TableStatistics {
    let table = try EmbeddedSource.open(view, self)
    var statistics = TableStatistics(
      view: view.name, offset: table.offset, watermark: table.watermark)
    let strings = ByteTable()
    statistics.damaged = table.visitRows { _, row in
      guard let row = EntityRow(row, columns: view.columns.count, strings: strings) else { return }
      statistics.oldest = min(statistics.oldest ?? row.latest, row.latest)
      statistics.newest = max(statistics.newest ?? row.latest, row.latest)
    }
    statistics.rows = table.rowCount
    statistics.rowBytes = table.liveBytes
    statistics.fileBytes = table.fileBytes
    return statistics
  }
}
