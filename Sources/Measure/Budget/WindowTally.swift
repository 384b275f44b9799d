// A clause that every stretch of time must keep: per window, how many requests there were and how many were above the
// bound (or failed). Windows are aligned to the epoch by when requests were due; a request that comes much later than
// its neighbours is counted into the oldest window that is still open.

public import Core

public struct WindowTally: Sendable {
  public struct Window: Sendable {
    public let start: Int64
    public var count = 0
    public var over = 0
  }

  private let length: Int64
  private var open: [Window] = []
  public private(set) var closed: [Window] = []
  /// Windows whose end has come may still be told of what was on its way.
  private static let openMax = 8
  /// Beyond, the first ones are forgotten; ten-second windows last eleven days.
  static let closedMax = 100_000

  public init(_ length: TimeSpan) { self.length = length.microseconds }

  public mutating func record(_ due: Timestamp, isOver: Bool) {
    let start = due.microseconds - modulo(due.microseconds)
    var place = open.lastIndex { $0.start <= start }
    if place == nil || open[place!].start != start {
      if place == nil, !open.isEmpty, open.count == WindowTally.openMax {
        place = 0
      } else {
        place = place.map { $0 + 1 } ?? 0
        open.insert(Window(start: start), at: place!)
      }
    }
    open[place!].count += 1
    if isOver { open[place!].over += 1 }
    while open.count > WindowTally.openMax { closed.append(open.removeFirst()) }
  }

  private func modulo(_ value: Int64) -> Int64 {
    let rest = value % length
    return rest < 0 ? rest + length : rest
  }

  /// All windows, the last included.
  public var windows: [Window] { closed + open }
}
