// A look at every byte of a log, without changing any: what `ingest log verify` reports.

public import Core

public struct LogVerification {
  public enum IndexState: String, Sendable {
    case whole, missing, damaged
    /// The active segment has none.
    case none
  }

  public struct Segment {
    public let path: String
    public let base: Int64
    /// The first offset behind its whole batches.
    public let next: Int64
    public let bytes: Int
    public let batches: Int
    public let index: IndexState
    /// Where the whole batches end before the file does.
    public let damage: LogDamage?
    /// The damage is a torn tail, which the next writer will cut: nothing that was synced is in it.
    public let isTornTail: Bool

    public var events: Int64 { next - base }
  }

  public private(set) var segments: [Segment] = []

  /// Damage that no crash explains; a torn tail and a lost index are none.
  public var corruption: [LogDamage] {
    segments.filter { !$0.isTornTail }.compactMap(\.damage)
  }

  /// Nothing to be mended, not even a torn tail or an index.
  public var isSpotless: Bool {
    segments.allSatisfy { $0.damage == nil && ($0.index == .whole || $0.index == .none) }
  }

  /// - Parameter progress: is called after each segment.
  /// - Complexity: O(bytes of the log).
  public init(
    _ path: String, files: any FileSystem,
    progress: (Segment) throws(Failure) -> Void = { _ in }
  ) throws(Failure) {
    let folder = LogFolder(path: path, files: files)
    guard files.exists(path) else { throw .inputOutput("\(path): no log there") }
    let bases = try folder.bases()
    for (number, base) in bases.enumerated() {
      let next = number + 1 < bases.count ? bases[number + 1] : nil
      guard let segment = try LogVerification.segment(folder, base, next) else { continue }
      segments.append(segment)
      try progress(segment)
    }
  }

  private static func segment(
    _ folder: LogFolder, _ base: Int64, _ next: Int64?
  ) throws(Failure) -> Segment? {
    guard let file = try SegmentFile(folder, base: base) else { return nil }
    let walk = try SegmentWalk(file)
    let bytes = try file.size()
    var damage = walk.damage
    if damage == nil, let next, walk.next != next {
      damage = LogDamage(
        segment: file.path, offset: walk.next, byte: walk.end,
        reason: "the segment ends, and the next one begins with offset \(next)")
    }
    return Segment(
      path: file.path, base: base, next: walk.next, bytes: bytes, batches: walk.batches,
      index: try next == nil ? .none : indexState(folder, walk.index), damage: damage,
      isTornTail: next == nil && !walk.beyond.provesSync)
  }

  private static func indexState(
    _ folder: LogFolder, _ expected: LogIndex
  ) throws(Failure) -> IndexState {
    guard folder.files.exists(folder.index(expected.base)) else { return .missing }
    let found = try LogIndex.read(
      folder, base: expected.base, segmentBytes: expected.segmentBytes)
    return found == expected ? .whole : .damaged
  }
}
