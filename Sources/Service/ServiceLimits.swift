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

  /// Bytes of requests with events that may wait for the one thread that takes them.
  public static let eventBytesWaitingMax = 64 << 20

  /// Clients whose rates are told apart while all of them send: 1.5 MiB of them.
  public static let rateClientsMax = 1 << 16

  /// Before a way of events that broke is tried again: each try reads the log's last stretch.
  static let eventRetryNanoseconds: UInt64 = 1_000_000_000

  /// Changes of models that may wait for the one that is being made.
  static let modelChangesWaitingMax = 100

  /// Faults of one request that are told.
  static let faultsShownMax = 100
}
