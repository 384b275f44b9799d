// "did you mean": the known word that a misspelt one was probably meant to be. Flags, project keys
// and names in expressions all ask here, so that they answer alike.
//
// The distance is the optimal string alignment distance: the fewest insertions, deletions, changes
// and swaps of neighbours. Two slips are forgiven in a word of four letters or more and one in a
// shorter word, because every two-letter word is within two slips of every other.

public enum Spelling {
  /// Words longer than this are not looked up: nobody typed them, and the work grows with their
  /// square.
  private static let wordBytesMax = 64

  /// The nearest of `known` within two slips, the first where several are equally near; nil if none
  /// is. Letter case does not count.
  ///
  /// - Complexity: O(known.count × word.count²)
  public static func nearest(_ word: String, among known: [String]) -> String? {
    let typed = Array(word.lowercased().utf8)
    guard typed.count <= wordBytesMax else { return nil }
    let slipsMax = min(2, typed.count / 2)
    var nearest: String?
    var fewest = slipsMax + 1
    for candidate in known {
      let letters = Array(candidate.lowercased().utf8)
      guard abs(letters.count - typed.count) < fewest else { continue }
      let slips = distance(typed, letters)
      if slips < fewest {
        nearest = candidate
        fewest = slips
      }
    }
    return nearest
  }

  /// Three rows of the usual table: the row being filled and the two before it.
  static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for row in 0..<left.count {
      var current = last
      current[0] = row + 1
      for column in 0..<right.count {
        let changed = last[column] + (left[row] == right[column] ? 0 : 1)
        var fewest = min(changed, last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          fewest = min(fewest, beforeLast[column - 1] + 1)
        }
        current[column + 1] = fewest
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}
