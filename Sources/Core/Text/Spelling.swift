// "Did you mean": the known word that is nearest to what was typed.

public enum Spelling {
  /// The word with the smallest edit distance to `word`, if that is at most 2 and smaller than the word itself;
  /// of equals the first.
  public static func nearest(_ word: String, among known: [String]) -> String? {
    let bound = min(2, word.count - 1)
    let candidates = known.map { ($0, distance(Array(word), Array($0))) }.filter { $0.1 <= bound }
    return candidates.min { $0.1 < $1.1 }?.0
  }

  /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
  static func distance(_ left: [Character], _ right: [Character]) -> Int {
    var rows = [Array(0...right.count)]
    for i in 1..<(left.count + 1) {
      var row = [i]
      for j in 1..<(right.count + 1) {
        let cost = left[i - 1] == right[j - 1] ? 0 : 1
        var best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + cost)
        if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
          best = min(best, rows[i - 2][j - 2] + 1)
        }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }
}
