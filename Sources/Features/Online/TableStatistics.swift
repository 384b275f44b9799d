public import Core

/// What a store holds of a view, for people.
public struct TableStatistics: Sendable {
  public let view: String
  public internal(set) var rows = 0
  public internal(set) var damaged = 0
  /// In use by rows, and their keys on a server.
  public internal(set) var rowBytes = 0
  /// Of the whole file; nil on a server.
  public internal(set) var fileBytes: Int?
  /// All rows are true up to here.
  public let offset: Int64
  public let watermark: Timestamp
  /// When something last happened to the entities least and most recently seen.
  public internal(set) var oldest: Timestamp?
  public internal(set) var newest: Timestamp?

  init(view: String, offset: Int64, watermark: Timestamp) {
    self.view = view
    self.offset = offset
    self.watermark = watermark
  }
}
