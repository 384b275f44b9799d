// Models are trained on codes where people have words: a data frame's categories are numbered in its
// own order, and only the file knows which number a word had. Texts are compared as bytes, since a
// file's are not always UTF-8.

public import Core

/// How the values of one input become the codes that its model was trained on.
public struct CategoryCodes: Sendable, Equatable {
  /// Whether a code is a number made from the text itself, so that every text has one.
  public let takesAnyText: Bool
  /// The categories in the order of their codes, as positions in `bytes`.
  private let starts: [Int32]
  private let bytes: [UInt8]
  /// Codes in the order of their texts.
  private let textOrder: [Int32]
  /// Categories that are numbers, in rising order, and their codes.
  private let numbers: [Double]
  private let numberCodes: [Int32]

  /// - Parameter values: the categories; a category's position is its code.
  /// - Complexity: O(n log n) comparisons.
  init(_ values: [CategoryValue]) {
    var starts: [Int32] = [0]
    var bytes: [UInt8] = []
    var texts: [Int32] = []
    var numbered: [(number: Double, code: Int32)] = []
    for (code, value) in values.enumerated() {
      switch value {
      case .text(let text):
        bytes += text
        texts.append(Int32(code))
      case .number(let number): if !number.isNaN { numbered.append((number, Int32(code))) }
      case .other: break
      }
      starts.append(Int32(bytes.count))
    }
    func text(_ code: Int32) -> ArraySlice<UInt8> {
      bytes[Int(starts[Int(code)])..<Int(starts[Int(code) + 1])]
    }
    texts.sort { left, right in
      text(left).lexicographicallyPrecedes(text(right))
        || (left < right && text(left) == text(right))
    }
    numbered.sort { ($0.number, $0.code) < ($1.number, $1.code) }
    self.takesAnyText = false
    self.starts = starts
    self.bytes = bytes
    self.textOrder = texts
    self.numbers = numbered.map(\.number)
    self.numberCodes = numbered.map(\.code)
  }

  private init() {
    (takesAnyText, starts, bytes, textOrder, numbers, numberCodes) = (true, [0], [], [], [], [])
  }

  /// Codes as CatBoost makes them: the lower half of a text's hash, as a signed number.
  static let hashed = CategoryCodes()

  static func hash(_ text: Bytes) -> Int32 {
    Int32(truncatingIfNeeded: CityHash.hash(text))
  }

  /// All texts are made of ASCII.
  var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }

  /// Categories that the file lists.
  public var count: Int { starts.count - 1 }

  /// The code of a category that is text; nil where the model has seen no such text and cannot say.
  ///
  /// - Complexity: O(log n) comparisons, or O(length); no allocation.
  public func code(of text: Bytes) -> Int? {
    if takesAnyText { return Int(Self.hash(text)) }
    return bytes.withBytes { all in
      func category(_ place: Int) -> Bytes {
        let code = Int(textOrder[place])
        return all[Int(starts[code])..<Int(starts[code + 1])]
      }
      let place = textOrder.indices.firstPlace { !(category($0) < text) }
      guard place < textOrder.count, category(place) == text else { return nil }
      return Int(textOrder[place])
    }
  }

  /// The code of a category that is a number. Where all categories are texts a number is a code
  /// already, and is given back. Where codes are hashes, that of the number in digits; nil for a
  /// fraction, which is no category.
  public func code(of number: Double) -> Double? {
    if takesAnyText {
      return Int64(exactly: number).map { number in
        Double(Array(String(number).utf8).withBytes { Self.hash($0) })
      }
    }
    guard !numbers.isEmpty else { return number }
    let place = numbers.indices.firstPlace { numbers[$0] >= number }
    guard place < numbers.count, numbers[place] == number else { return nil }
    return Double(numberCodes[place])
  }
}

/// A category as a file has it.
enum CategoryValue: Sendable {
  case text([UInt8])
  case number(Double)
  /// Neither: it keeps its code, and nothing finds it.
  case other
}

extension Range<Int> {
  /// The first place from which on `holds`, which is false before and true after.
  func firstPlace(where holds: (Int) -> Bool) -> Int {
    var low = lowerBound
    var high = upperBound
    while low < high {
      let middle = low + (high - low) / 2
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
