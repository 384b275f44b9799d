// One walk over the tree checks the types and emits the program, children first. Where all
// arguments of an operation turn out to be constants, it is computed at once. The language is small
// enough that its typing rules fit on this page: what is of no known type (`any`) or null fits
// everywhere, an integer fits where a double is wanted, and everything else must be the same.

struct ExpressionCompiler {
  private let text: String
  private let scope: Scope
  private var code: [Instruction] = []
  /// In the order of the `constant` instructions, one each, so that both shrink together.
  private var constants: [Scalar] = []
  private(set) var slots: [Int] = []
  private let constantText: ConstantText
  private let foldingStack = ExpressionStack()

  init(text: String, scope: Scope) {
    self.text = text
    self.scope = scope
    self.constantText = ConstantText(capacity: text.utf8.count)
  }

  /// Checks and emits the whole; returns the type of the result.
  mutating func compile(
    _ syntax: Syntax, expecting: ValueType?
  ) throws(ExpressionError) -> ValueType {
    let type = try check(syntax)
    guard let expecting, expecting != .any, expecting != type else { return type }
    switch (type, expecting) {
    case (.null, _): return expecting
    case (.any, _) where code.count == 1 && code[0].operation == .load:
      code[0] = Instruction(operation: .load, type: expecting, operand: code[0].operand)
    case (.any, _), (.int, .double): emit(.conform, 1, expecting)
    default:
      throw error(
        "the expression is \(type.rawValue), but \(expecting.rawValue) is expected", at: 0)
    }
    return expecting
  }

  func program() -> ExpressionProgram {
    ExpressionProgram(code, constants: constants, text: constantText)
  }

  // MARK: Emitting

  private mutating func emit(_ operation: Operation, _ count: Int, _ type: ValueType = .any) {
    let instruction = Instruction(operation: operation, type: type, operand: Int32(count))
    let arguments = code.suffix(count)
    guard arguments.count == count, !operation.writesText,
      arguments.allSatisfy({ $0.operation == .constant })
    else {
      code.append(instruction)
      return
    }
    let values = Array(constants.suffix(count))
    code.removeLast(count)
    constants.removeLast(count)
    emit(
      constant: values.withUnsafeBufferPointer {
        Functions.apply(instruction, $0.baseAddress!, foldingStack)
      })
  }

  private mutating func emit(constant: Scalar) {
    code.append(
      Instruction(operation: .constant, type: .any, operand: Int32(constants.count)))
    constants.append(constant)
  }

  /// A value chosen among several types is made to be of the one they share.
  private mutating func emit(
    _ operation: Operation, sharing types: [ValueType], _ type: ValueType, count: Int
  ) {
    emit(operation, count)
    if type == .double, types.contains(.int) { emit(.conform, 1, .double) }
  }

  // MARK: Checking

  private mutating func check(_ syntax: Syntax) throws(ExpressionError) -> ValueType {
    switch syntax.kind {
    case .literal(let literal): return emit(literal)
    case .member(let path): return try member(path, syntax.offset)
    case .negate(let operand):
      let type = try check(operand)
      guard FunctionEntry.Parameter.number.accepts(type) else {
        throw error("'-' takes a number, not \(type.rawValue)", at: syntax.offset)
      }
      emit(.negate, 1)
      return type
    case .not(let operand):
      let type = try check(operand)
      guard isTruth(type) else {
        throw error("'!' takes a bool, not \(type.rawValue)", at: syntax.offset)
      }
      emit(.not, 1)
      return .bool
    case .chain(let first, let links):
      var type = try check(first)
      for link in links {
        type = try combine(link, type, try check(link.right))
        emit(Operation(link.symbol), 2)
      }
      return type
    case .compare(let left, let link): return try compare(left, link)
    case .within(let left, let list): return try within(left, list, syntax.offset)
    case .conditional(let condition, let yes, let no):
      let truth = try check(condition)
      guard isTruth(truth) else {
        throw error(
          "the condition before '?' must be bool, not \(truth.rawValue)", at: condition.offset)
      }
      let types = [try check(yes), try check(no)]
      guard let type = shared(types[0], types[1]) else {
        throw error(
          "'?:' chooses between \(types[0].rawValue) and \(types[1].rawValue)", at: syntax.offset)
      }
      emit(.select, sharing: types, type, count: 3)
      return type
    case .call(let name, let arguments, let isMethod):
      return try call(name, arguments, isMethod: isMethod, syntax.offset)
    }
  }

  private mutating func emit(_ literal: Syntax.Literal) -> ValueType {
    let value: Scalar =
      switch literal {
      case .null: .null
      case .bool(let truth): .bool(truth)
      case .int(let number): .int(number)
      case .uint(let number): .uint(number)
      case .double(let number): .double(number)
      case .text(let text): .text(constantText.append(text))
      }
    emit(constant: value)
    return value.type
  }

  private mutating func member(_ path: [String], _ offset: Int) throws(ExpressionError) -> ValueType
  {
    guard let binding = scope.resolve(path) else {
      let name = path.joined(separator: ".")
      throw error("unknown name '\(name)'\(suggestion(name, among: scope.names))", at: offset)
    }
    if !slots.contains(binding.slot) { slots.append(binding.slot) }
    let slot = Int32(binding.slot)
    code.append(Instruction(operation: .load, type: binding.type, operand: slot))
    return binding.type
  }

  /// The type of `left symbol right` for arithmetic and logic.
  private func combine(
    _ link: Syntax.Link, _ left: ValueType, _ right: ValueType
  ) throws(ExpressionError) -> ValueType {
    let types = "\(left.rawValue) and \(right.rawValue)"
    let symbol = link.symbol
    if symbol == .and || symbol == .or {
      guard isTruth(left), isTruth(right) else {
        throw error("'\(symbol.rawValue)' takes two bools, not \(types)", at: link.offset)
      }
      return .bool
    }
    let number = FunctionEntry.Parameter.number
    if number.accepts(left), number.accepts(right) { return shared(left, right) ?? .any }
    let time = FunctionEntry.Parameter.time
    if symbol == .subtract, time.accepts(left), time.accepts(right) { return .double }
    let wanted = symbol == .subtract ? "two numbers or two times" : "two numbers"
    throw error("'\(symbol.rawValue)' takes \(wanted), not \(types)", at: link.offset)
  }

  private mutating func compare(
    _ left: Syntax, _ link: Syntax.Link
  ) throws(ExpressionError) -> ValueType {
    let symbol = link.symbol
    let isEquality = symbol == .equal || symbol == .notEqual
    if isEquality, left.isNullLiteral || link.right.isNullLiteral {
      _ = try check(left.isNullLiteral ? link.right : left)
      emit(symbol == .equal ? .isNull : .isNotNull, 1)
      return .bool
    }
    let types = (try check(left), try check(link.right))
    guard shared(types.0, types.1) != nil, isEquality || types.0 != .bool && types.1 != .bool else {
      throw error(
        "'\(symbol.rawValue)' cannot compare \(types.0.rawValue) with \(types.1.rawValue)",
        at: link.offset)
    }
    emit(Operation(symbol), 2)
    return .bool
  }

  private mutating func within(
    _ left: Syntax, _ list: [Syntax], _ offset: Int
  ) throws(ExpressionError) -> ValueType {
    let type = try check(left)
    for element in list {
      guard !element.isNullLiteral else {
        throw error("nothing equals null; write x == null || x in […]", at: element.offset)
      }
      let other = try check(element)
      guard shared(type, other) != nil else {
        throw error(
          "'in' cannot compare \(type.rawValue) with \(other.rawValue)", at: element.offset)
      }
    }
    emit(.within, list.count + 1)
    return .bool
  }

  private mutating func call(
    _ name: String, _ arguments: [Syntax], isMethod: Bool, _ offset: Int
  ) throws(ExpressionError) -> ValueType {
    guard let entry = FunctionEntry.all.first(where: { $0.name == name }) else {
      let hint = suggestion(name, among: FunctionEntry.all.map(\.name))
      throw error("unknown function '\(name)'\(hint)", at: offset)
    }
    guard entry.allows(method: isMethod) else {
      throw error("'\(name)' is written \(entry.signature)", at: offset)
    }
    try checkCount(of: arguments.count, entry, isMethod: isMethod, offset)
    var types: [ValueType] = []
    for (index, argument) in arguments.enumerated() {
      let type = try check(argument)
      let parameter = entry.parameters[min(index, entry.parameters.count - 1)]
      guard parameter.accepts(type) else {
        throw error(
          "\(entry.signature) takes \(parameter.article), not \(type.rawValue)",
          at: argument.offset)
      }
      types.append(type)
    }
    if case .always(let type) = entry.result {
      emit(entry.operation, arguments.count)
      return type
    }
    var type = types[0]
    for (other, argument) in zip(types, arguments).dropFirst() {
      guard let joined = shared(type, other) else {
        throw error(
          "\(entry.signature) cannot mix \(type.rawValue) with \(other.rawValue)",
          at: argument.offset)
      }
      type = joined
    }
    emit(entry.operation, sharing: types, type, count: arguments.count)
    return type
  }

  private func checkCount(
    of given: Int, _ entry: FunctionEntry, isMethod: Bool, _ offset: Int
  ) throws(ExpressionError) {
    let wanted = entry.parameters.count
    guard given == wanted || entry.repeats && given > wanted else {
      // A method's receiver does not look like an argument.
      let receiver = isMethod ? 1 : 0
      let count = wanted - receiver
      let words = (entry.repeats ? "at least " : "") + (count == 0 ? "no" : String(count))
      throw error(
        "\(entry.signature) takes \(words) argument\(count == 1 ? "" : "s"), "
          + "not \(given - receiver)", at: offset)
    }
  }

  // MARK: Types and messages

  private func isTruth(_ type: ValueType) -> Bool {
    type == .bool || type == .any || type == .null
  }

  /// The type that holds both; nil if there is none.
  private func shared(_ left: ValueType, _ right: ValueType) -> ValueType? {
    switch (left, right) {
    case (.null, let other), (let other, .null): other
    case (.any, _), (_, .any): .any
    case (.int, .double), (.double, .int): .double
    default: left == right ? left : nil
    }
  }

  private func suggestion(_ word: String, among known: [String]) -> String {
    Spelling.nearest(word, among: known).map { "; did you mean '\($0)'?" } ?? ""
  }

  private func error(_ reason: String, at offset: Int) -> ExpressionError {
    ExpressionError(reason, at: offset, in: text)
  }
}
