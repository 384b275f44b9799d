// A record against its declared fields, in one loop: a plain string is lent, a short number is read and held against
// its bounds, and neither asks a field anything. Everything else (escapes, long numbers, times, a missing member,
// what is wrong) is the field's own business: `Field.convert` is the twin that knows all cases.

/// The declared fields of one type of event, by the slots of a plan.
public final class FieldChecks {
  private struct Rule {
    let slot: Int
    /// Of a string that may not be anything: `any`, of which nothing is simple.
    let type: FieldType
    let minimum: Double
    let maximum: Double
  }

  private let rules: UnsafeMutablePointer<Rule>
  private let fields: [Field]
  private let count: Int

  public init(_ fields: [(field: Field, slot: Int)]) {
    self.fields = fields.map(\.field)
    count = fields.count
    rules = .allocate(capacity: max(fields.count, 1))
    for (index, (field, slot)) in fields.enumerated() {
      (rules + index).initialize(
        to: Rule(
          slot: slot, type: field.text == nil ? field.type : .any,
          minimum: field.minimum ?? -.infinity,
          maximum: field.maximum ?? .infinity))
    }
  }

  deinit { rules.deallocate() }

  /// Converts the members that the scanner has found.
  ///
  /// - Parameter scalars: one for each slot of the plan; those of the declared fields are written.
  /// - Complexity: O(fields).
  public func convert(
    _ scanner: RecordScanner, into scalars: UnsafeMutablePointer<Scalar>
  ) throws(BadRecord) {
    for index in 0..<count {
      let rule = rules + index
      let slot = rule.pointee.slot
      if let value = FieldChecks.simple(scanner.simple(slot), rule) {
        scalars[slot] = value
      } else {
        scalars[slot] = try fields[index].convert(scanner.scalar(slot), scanner.raw(slot))
      }
    }
  }

  /// The value in its field's type, or nil where that takes a second look.
  @inline(__always)
  private static func simple(
    _ value: Scalar?, _ rule: UnsafeMutablePointer<Rule>
  ) -> Scalar? {
    switch (rule.pointee.type, value) {
    case (.string, .text): return value
    case (.integer, .int(let number)):
      let double = Double(number)
      return double >= rule.pointee.minimum && double <= rule.pointee.maximum ? value : nil
    case (.number, .int(let number)): return bounded(Double(number), rule)
    case (.number, .double(let number)): return bounded(number, rule)
    default: return nil
    }
  }

  @inline(__always)
  private static func bounded(_ number: Double, _ rule: UnsafeMutablePointer<Rule>) -> Scalar? {
    number >= rule.pointee.minimum && number <= rule.pointee.maximum ? .double(number) : nil
  }
}

extension RecordScanner {
  /// A string without escapes or a number of up to eight bytes; nil for any other member.
  @inline(__always)
  fileprivate func simple(_ slot: Int) -> Scalar? {
    let value = values[slot]
    guard !value.isAbsent, padding >= ShortNumber.bytesMax else { return nil }
    let text = line.base + value.start
    let count = value.end &- value.start
    let first = text.pointee
    if first == UInt8(ascii: "\"") {
      return value.isEscaped ? nil : .text(Bytes(base: text + 1, count: count &- 2))
    }
    let isNumber = first &- UInt8(ascii: "0") <= 9 || first == UInt8(ascii: "-")
    guard isNumber, count <= ShortNumber.bytesMax else { return nil }
    return ShortNumber.scalar(text, count: count)
  }
}
