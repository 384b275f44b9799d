// Categories by name, which an XGBoost document has since 3.1 where the training data was a data
// frame: of each input nothing, or texts, or integers, in the order of their codes.
//
//     "cats": { "enc": [ { "offsets": [], "values": [] },                  a number
//                        { "offsets": [0, 2, 4], "values": [85, 65, …] },  texts, end to end
//                        { "type": 12, "values": [30, 7, 12] } ],          integers
//               "feature_segments": [ … ], "sorted_idx": [ … ] }
//
// The bytes of texts are written as signed: é is -61, -87.

import Core

enum XGBoostCategories {
  static func read(_ document: inout ModelDocument) throws(Failure) -> [CategoryCodes?] {
    var inputs: [CategoryCodes?] = []
    try document.members { (document, name) throws(Failure) in
      guard name == "enc" else { return try document.skip() }
      try document.elements { (document, _) throws(Failure) in
        inputs.append(try readInput(&document))
      }
    }
    return inputs.contains { $0 != nil } ? inputs : []
  }

  private static func readInput(_ document: inout ModelDocument) throws(Failure) -> CategoryCodes? {
    var offsets: [Int]?
    var values: [Int] = []
    try document.members { (document, name) throws(Failure) in
      switch name {
      case "offsets":
        var ends: [Int] = []
        try document.integers(into: &ends)
        offsets = ends
      case "values": try document.integers(into: &values)
      default: try document.skip()
      }
    }
    guard let offsets else {
      return values.isEmpty ? nil : CategoryCodes(values.map { .number(Double($0)) })
    }
    guard !offsets.isEmpty else { return nil }
    guard offsets[0] == 0, offsets[offsets.count - 1] == values.count,
      zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 })
    else { throw document.failure("offsets do not rise from 0 to \(values.count)") }
    let bytes = values.map { UInt8(truncatingIfNeeded: $0) }
    return CategoryCodes(
      zip(offsets, offsets.dropFirst()).map { .text(Array(bytes[$0..<$1])) })
  }
}
