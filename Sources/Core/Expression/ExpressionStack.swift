// The scratch memory of one thread. Both parts grow to what the expressions at hand need and then
// stay, so that evaluating allocates nothing:
//
//   cells   the operands of the running program
//   arena   the text that lowerAscii and upperAscii make; its pieces never move, since scalars
//           point into them
//
//     pieces  [■■■■■■■■■■]  [■■■■······]  [··········]
//                            current ^used

/// Scratch memory for evaluating expressions, used by one thread at a time.
public final class ExpressionStack {
  private var cells: UnsafeMutablePointer<Scalar>
  private var cellCount: Int
  private var pieces: [UnsafeMutableBufferPointer<UInt8>] = []
  private var current = 0
  private var used = 0

  private static let pieceBytes = 16 << 10

  public init() {
    cellCount = 64
    cells = .allocate(capacity: cellCount)
    cells.initialize(repeating: .null, count: cellCount)
  }

  deinit {
    cells.deallocate()
    for piece in pieces { piece.deallocate() }
  }

  /// Forgets the text that expressions have made. Owners call it once per record, when nothing
  /// reads the results of the last one any more; without it that text piles up.
  public func reset() { rewind(to: Mark(piece: 0, used: 0)) }

  // MARK: For the running program

  /// Cells whose contents are of no interest; valid until more are asked for.
  @inline(__always)
  func reserve(_ count: Int) -> UnsafeMutablePointer<Scalar> {
    if count > cellCount { grow(to: count) }
    return cells
  }

  @inline(never)
  private func grow(to count: Int) {
    cells.deallocate()
    cellCount = count
    cells = .allocate(capacity: count)
    cells.initialize(repeating: .null, count: count)
  }

  struct Mark {
    let piece: Int
    let used: Int
  }

  var mark: Mark { Mark(piece: current, used: used) }

  /// Forgets the text made since then. Where nothing is left, several pieces become one of their
  /// size, so that texts which grow a little with each record cannot leave a trail of pieces.
  func rewind(to mark: Mark) {
    current = mark.piece
    used = mark.used
    guard current == 0, used == 0, pieces.count > 1 else { return }
    let bytes = pieces.reduce(0) { $0 + $1.count }
    for piece in pieces { piece.deallocate() }
    pieces = [.allocate(capacity: bytes)]
  }

  /// Memory for text, valid until `reset` or a rewind.
  func text(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    while current < pieces.count, pieces[current].count - used < count {
      current += 1
      used = 0
    }
    if current == pieces.count {
      pieces.append(.allocate(capacity: max(count, ExpressionStack.pieceBytes)))
    }
    defer { used += count }
    return pieces[current].baseAddress! + used
  }
}
