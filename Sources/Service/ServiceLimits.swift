// Bounds on what one request may ask of the models.

public import Core

extension Limits {
  /// Rows of one request. They are judged in one go, and everyone else waits for it.
  public static let requestRowsMax = 10_000

  /// Rows that are judged together, unless told otherwise; kernels work on 64 at once.
  public static let batchRowsDefault = 64

  /// Rows that may be asked to be judged together.
  public static let batchRowsMax = 4_096

  /// Bytes of a log that may wait for the disk: a few seconds of a busy server.
  public static let logBytesMax = 32 << 20

  /// Faults of one request that are told.
  static let faultsShownMax = 100
}
