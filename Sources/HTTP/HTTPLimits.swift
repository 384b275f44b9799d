// Bounds on what a client may send, hold open or leave unread. A bound that is met is an answer with a
// status, never memory without end.

public import Core

extension Limits {
  /// Bytes of a request line. A path names a model, nothing longer.
  public static let requestLineBytesMax = 8 << 10

  /// Bytes of a request's line and fields together; nginx takes 32 KiB of them.
  public static let requestHeadBytesMax = 32 << 10

  /// Fields of a request, and of a chunked body's trailer.
  public static let requestFieldsMax = 100

  /// Bytes of a request's body, decoded and inflated: Triton's default.
  public static let requestBodyBytesMax = 64 << 20

  /// Bytes of a line that tells a chunk's size, its extensions included.
  static let chunkLineBytesMax = 256

  /// Chunks of one body, as in Triton: each costs a look at its size.
  static let chunksMax = 1 << 16

  /// Bytes of a connection's first buffers. Most requests fit into one.
  static let connectionBufferBytes = 8 << 10

  /// Bytes of a connection's buffer that are kept for its next request; what is larger is given back.
  static let connectionBufferKeptBytes = 64 << 10

  /// Bytes that a connection may have to send before its next request is looked at.
  static let connectionOutputBytesMax = 1 << 20

  /// Bytes that are read and thrown away while a refused client still sends.
  static let lingerBytesMax = 1 << 20

  /// Connections of one process, unless told otherwise.
  public static let connectionsDefault = 10_000

  /// New connections that are taken up in one turn, so that they do not keep the others waiting.
  static let acceptsPerTurn = 64

  /// Connections that may wait to be taken up.
  static let acceptBacklog: Int32 = 2_048

  /// Bytes of a reply's line and fields together, for a client.
  static let replyHeadBytesMax = 64 << 10

  /// Bytes of a client connection's buffer. Most replies fit; a body is thrown away as it comes.
  static let replyBufferBytes = 16 << 10

  /// Connections of a client, unless told otherwise: a generator that opens one for each request that is
  /// not answered in time would take its own machine down first.
  public static let clientConnectionsDefault = 512

  /// Events that one turn of a loop takes up.
  static let eventsPerTurn = 256
}
