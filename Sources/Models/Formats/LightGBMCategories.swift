// Which inputs the categories of a LightGBM file belong to. The file lists them for the data frame's category columns in
// the columns' order, and does not say which columns those are. Mostly they are the inputs that the training
// took for categories; but an ordered column is a plain number to the training, and a caller may name columns of
// numbers. What the training saw of each input tells more:
//
//     feature_infos=[0:2] -1:1:3:0 [-2.4:3.1] none
//                   │     │        │          └ one value only: may have any categories
//                   │     │        └ fractions: no codes
//                   │     └ codes up to 3: any list of at least 4
//                   └ whole numbers up to 2: any list of at least 3, or plain numbers
//
// Where that leaves one way to deal out the lists, it is the right one. Where it leaves several, the lists go to the inputs
// that the training took for categories, unless an input of plain numbers looks as much like a list's codes.

import Core

struct LightGBMCategories {
  let inputNames: [String]
  /// In the order of the inputs; empty where the file has none.
  let infos: [String]
  /// Inputs that the training took for categories; nil where the file does not say in numbers.
  let features: [Int]?
  let lists: [[CategoryValue]]

  /// By input: its categories.
  ///
  /// - Throws: why the lists cannot be dealt out for certain.
  /// - Complexity: O(inputs × lists) at worst; O(inputs) where one way is left.
  func codes() throws(Uncertain) -> [CategoryCodes?] {
    var codes = [CategoryCodes?](repeating: nil, count: inputNames.count)
    for (input, list) in zip(try places(), lists) { codes[input] = CategoryCodes(list) }
    return codes
  }

  struct Uncertain: Error {
    let reason: String
  }

  /// The input of each list.
  private func places() throws(Uncertain) -> [Int] {
    let usual = usualPlaces()
    guard infos.count == inputNames.count else {
      if let usual { return usual }
      throw Uncertain(reason: "\(infos.count) feature_infos for \(inputNames.count) inputs")
    }
    let seen = infos.map(Seen.init)
    guard let first = firstPlaces(seen), let last = lastPlaces(seen) else {
      throw Uncertain(reason: "no inputs have codes of the lists' lengths, in this order")
    }
    if first == last { return first }
    guard let usual, zip(usual, lists).allSatisfy({ seen[$0].fits($1) }) else {
      let differs = first.indices.first { first[$0] != last[$0] } ?? 0
      throw twoWays(differs, first[differs], last[differs])
    }
    for (place, input) in usual.enumerated() {
      guard let rival = rival(of: input, lists[place], seen) else { continue }
      throw twoWays(place, input, rival)
    }
    return usual
  }

  private func twoWays(_ list: Int, _ one: Int, _ other: Int) -> Uncertain {
    Uncertain(
      reason: "list \(list) may be the categories of '\(inputNames[one])' or of"
        + " '\(inputNames[other])'")
  }

  /// The inputs that the training took for categories, where they are as many as the lists.
  private func usualPlaces() -> [Int]? {
    guard let features = features?.sorted(), features.count == lists.count,
      features.allSatisfy({ inputNames.indices ~= $0 })
    else { return nil }
    return features
  }

  // MARK: Ways to deal out the lists

  /// The way in which each list comes as early as it can.
  private func firstPlaces(_ seen: [Seen]) -> [Int]? {
    var places: [Int] = []
    for (input, seen) in seen.enumerated() where places.count < lists.count {
      if seen.fits(lists[places.count]) { places.append(input) }
    }
    return places.count == lists.count ? places : nil
  }

  /// The way in which each list comes as late as it can: where it is the first way too, there is no other.
  private func lastPlaces(_ seen: [Seen]) -> [Int]? {
    var places: [Int] = []
    for (input, seen) in seen.enumerated().reversed() where places.count < lists.count {
      if seen.fits(lists[lists.count - 1 - places.count]) { places.append(input) }
    }
    return places.count == lists.count ? places.reversed() : nil
  }

  /// An input of plain numbers that looks as much like the codes of `list` as `input` does.
  ///
  /// Where the categories are words this is no harm while `input` has all the codes: a word that comes for the
  /// wrong input is refused, and a number is a code already.
  private func rival(of input: Int, _ list: [CategoryValue], _ seen: [Seen]) -> Int? {
    if list.allSatisfy(\.isWord), seen[input].isAll(list) { return nil }
    return seen.indices.first { !seen[$0].isCategory && seen[$0].isAll(list) }
  }
}

/// What the training saw of one input.
private struct Seen {
  let isCategory: Bool
  /// The largest code; -1 where there was nothing to see, nil where the values are no codes.
  let largest: Int?
  /// All codes up to the largest occur, as far as the file tells.
  let isGapless: Bool

  init(_ info: String) {
    let isRange = info.hasPrefix("[")
    let parts = (isRange ? info.dropFirst().dropLast() : info[...]).split(separator: ":")
    let values = parts.map { Double($0).flatMap { Int(exactly: $0) } }
    isCategory = !isRange && info != "none"
    if info == "none" {
      (largest, isGapless) = (-1, false)
    } else if values.contains(nil) {
      (largest, isGapless) = (nil, false)
    } else if isRange {
      let (least, most) = (values.first.flatMap { $0 } ?? -1, values.last.flatMap { $0 } ?? -1)
      (largest, isGapless) = (least < 0 ? nil : most, least == 0)
    } else {
      // Below 0 are missing values.
      let codes = values.compactMap { $0 }.filter { $0 >= 0 }
      largest = codes.max() ?? -1
      isGapless = codes.count == (largest ?? -1) + 1
    }
  }

  func fits(_ list: [CategoryValue]) -> Bool { largest.map { $0 < list.count } ?? false }

  /// Each of the categories occurs, and nothing else.
  func isAll(_ list: [CategoryValue]) -> Bool { isGapless && largest == list.count - 1 }
}

extension CategoryValue {
  /// Text that nobody could take for a number.
  fileprivate var isWord: Bool {
    guard case .text(let text) = self else { return false }
    return text.withBytes { JSONNumber.double($0.trimmed) == nil }
  }
}
