// Every bound in one place, with its unit and its reason. A bound that is met is an answer to the user
// ("a rejected record", "a clear error"), never a crash and never unbounded memory.

public enum Limits {
  /// Bytes in one line of input. Records are a few hundred bytes; 16 MiB leaves room for the odd blob and
  /// keeps a file without line ends from filling memory.
  public static let lineBytesMax = 16 << 20

  /// Bytes asked for in one read. Large enough that system calls do not show in a profile.
  public static let readBytes = 256 << 10

  /// Bytes gathered before a write. As large as a Linux pipe, so that one call fills it.
  public static let writeBytes = 64 << 10

  /// Levels of nesting in a JSON text.
  public static let jsonDepthMax = 512

  /// Bytes of a project file.
  public static let projectBytesMax = 4 << 20

  /// Bytes of a model file: the largest ensembles seen in use are a few hundred megabytes.
  public static let modelBytesMax = 2 << 30

  /// Bytes of events that are held in memory to be replayed: some ten million of a hundred bytes.
  public static let heldEventBytesMax = 1 << 30

  /// Bytes of one expression's text.
  public static let expressionBytesMax = 16 << 10

  /// Nested parentheses, conditionals and calls in one expression.
  public static let expressionDepthMax = 100

  /// Bytes of lines that a commit to the log gathers at most, one line excepted. Fits the second-level cache, so
  /// that checksum, write and output find it there.
  public static let logBatchBytes = 256 << 10

  /// Bytes of lines that wait for one sync under `--fsync always`. A sync costs some milliseconds and then
  /// writes as fast as the disk does: at this size it costs less than making the lines.
  public static let logCommitBytes = 8 << 20

  /// Bytes of the secret that hashes private members.
  public static let privateKeyBytesMax = 4_096

  /// Wrappings around an event, such as Debezium's inside kcat's.
  public static let envelopeDepthMax = 3

  /// Offsets are below this: what is said of the next one must be a number too.
  public static let offsetMax: Int64 = 1 << 62
  /// Gaps between the offsets seen of one source partition: 16 bytes each. Beyond, the oldest gap is taken for
  /// offsets that were never used, as Kafka leaves them after transactions.
  public static let sourceGapsMax = 65_536

  /// Bytes of the file with the source offsets beside a log.
  public static let sourceOffsetsBytesMax = 64 << 20

  /// Bytes of log that one entry of an index stands for: what a reader reads too much at worst.
  public static let logIndexBytes = 64 << 10

  /// Bytes of an index file: a segment of 4 GiB has 65,536 entries of 48 bytes.
  public static let logIndexFileBytesMax = 16 << 20

  /// Bytes of a segment: positions in one are written with 32 bits.
  public static let logSegmentBytesMax = 1 << 31

  /// Values in a feature that is a list, and bounds of a histogram: more is a table, not a feature.
  public static let featureListMax = 1_000

  /// Bytes of one entity's key and row in an online store. An exact window of 100,000 events of a few columns; more
  /// should be a window with a hop.
  public static let onlineRowBytesMax = 16 << 20

  /// Finished rows that a reader of an online store remembers for each view: about 400 bytes each with ten features, so
  /// that those of five views stay below 5 MB, and the busiest of them in the processor's caches.
  public static let onlineRememberedRows = 2_048

  /// Events between two writes to an online store, where input comes without a pause.
  public static let onlineFlushEvents = 4_096

  /// Rejected records whose reasons are printed one by one; the others are only counted.
  public static let rejectsShownMax = 5
}
