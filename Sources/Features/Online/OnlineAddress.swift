// Where an online store is: in a folder of this machine, or on a server that several share. Who reads or writes one need
// not know which.

public import Core
public import Events

public enum OnlineAddress: Sendable {
  case folder(OnlineFolder)
  case server(RedisServer)

  /// - Parameter origin: of the text, for messages.
  public init(_ text: String, origin: String, in files: any FileSystem) throws(Failure) {
    if RedisAddress.isAddress(text) {
      self = .server(RedisServer(try RedisAddress(text, origin: origin)))
    } else {
      self = .folder(OnlineFolder(text, in: files))
    }
  }

  /// For messages; without a password.
  public var name: String {
    switch self {
    case .folder(let folder): folder.path
    case .server(let server): server.address.description
    }
  }

  public var isServer: Bool {
    if case .server = self { true } else { false }
  }
}

/// A server of Redis or Valkey, or a cluster of them.
public struct RedisServer: Sendable {
  let address: RedisAddress
  let numbers = HostNumbers()

  /// Looks its hosts' names up.
  init(_ address: RedisAddress) {
    self.address = address
    numbers.find(address)
  }
}

extension OnlineReader {
  /// - Parameters:
  ///   - views: the indices of those that must be there now; nil: all. Others are looked for when they are asked for.
  ///   - deadline: how long a look-up waits for a server; a folder answers at once.
  ///   - remembered: finished rows of each view that are kept, of a folder.
  public convenience init(
    _ definitions: FeatureDefinitions, schema: EventSchema, at address: OnlineAddress,
    views: Set<Int>? = nil, deadline: TimeSpan, remembered: Int = Limits.onlineRememberedRows,
    clock: any Clock
  ) throws(Failure) {
    switch address {
    case .folder(let folder):
      try self.init(
        definitions, schema: schema, folder: folder, views: views, remembered: remembered)
    case .server(let server):
      try self.init(
        definitions, schema: schema, at: server, views: views, deadline: deadline, clock: clock)
    }
  }
}

extension OnlineWriter {
  /// - Parameter rebuilds: all is made anew beside what serves, and serves when all events are in.
  public convenience init(
    _ engine: FeatureEngine, at address: OnlineAddress, rebuilds: Bool, clock: any Clock
  ) throws(Failure) {
    switch address {
    case .folder(let folder): try self.init(engine, folder: folder, rebuilds: rebuilds)
    case .server(let server):
      try self.init(engine, at: server, rebuilds: rebuilds, clock: clock)
    }
  }
}

extension OnlineAddress {
  /// Looks at every row of a view.
  public func statistics(
    _ view: FeatureView, clock: any Clock
  ) throws(Failure) -> TableStatistics {
    switch self {
    case .folder(let folder): try folder.statistics(view)
    case .server(let server): try server.statistics(view, clock: clock)
    }
  }
}

extension RedisServer {
  fileprivate func statistics(
    _ view: FeatureView, clock: any Clock
  ) throws(Failure) -> TableStatistics {
    let client = RedisClient(address, numbers: numbers, clock: clock)
    let layout = RedisLayout(prefix: address.prefix)
    let span = RedisSession.openingSpan
    let command = RedisCommand("GET", key: layout.headKey(view.name))
    let head = try client.head(try client.answers([command], within: span, .none)[0], of: view)
    var table = TableStatistics(view: view.name, offset: head.offset, watermark: head.watermark)
    let strings = ByteTable()
    try client.visitRows(layout, view.name, head.generation, within: span) {
      (_, key, value) throws(Failure) in
      guard let value else { return }
      value.withBytes { table.note(key, $0, view, strings) }
    }
    return table
  }
}

extension TableStatistics {
  fileprivate mutating func note(
    _ key: [UInt8], _ value: Bytes, _ view: FeatureView, _ strings: ByteTable
  ) {
    rows += 1
    rowBytes += key.count + value.count
    guard let row = RedisLayout.state(value),
      let row = EntityRow(row, columns: view.columns.count, strings: strings)
    else {
      damaged += 1
      return
    }
    oldest = min(oldest ?? row.latest, row.latest)
    newest = max(newest ?? row.latest, row.latest)
  }
}
