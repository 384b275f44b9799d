import Core

// Bounds on what a model file may ask for. A file's own counts are never trusted: what is allocated
// follows from bytes that were read, and these bounds catch the rest.

extension Limits {
  /// Inputs of a model: a dense row of this many floats is 64 MiB.
  static let modelInputsMax = 1 << 24

  /// Outputs of a model: classes or targets. Every row of scores has this many floats.
  static let modelOutputsMax = 1 << 16

  /// Nodes of one ensemble, which are numbered with 32 signed bits.
  static let forestNodesMax = Int(Int32.max)

  /// Bytes of all category sets together. One listed category can ask for 2 MiB of bits, so that a
  /// small file could ask for any amount.
  static let categorySetBytesMax = 256 << 20

  /// Objects and arrays in one another, in a document of bytes.
  static let documentDepthMax = 128
}
