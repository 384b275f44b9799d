// The body of an infer request: JSON, then the bytes of the tensors that are not in it, in their order.
//
//     {"id":"1","inputs":[{"name":"input","shape":[1,2],"datatype":"FP32",
//       "parameters":{"binary_data_size":8}}],"outputs":[…]}  | 8 bytes
//     └────────── Inference-Header-Content-Length ─────────┘

import Core
import HTTP
import Models

struct InferenceRequest {
  /// As it stands in the text, quotes and all; empty where there is none.
  private(set) var id = Bytes.empty
  private(set) var inputs: [InputTensor] = []
  /// Nil: all.
  private(set) var outputs: [OutputWish]?
  private(set) var wantsBinary = false

  /// - Parameter texts: keeps the strings that have escapes.
  init(_ request: Request, at desk: Desk, _ texts: TextScratch) throws(Refusal) {
    let body = request.body
    var headerCount = body.count
    if let text = request.field(.inferenceHeaderLength) {
      guard let count = JSONNumber.integer(text), count >= 0, count <= body.count else {
        throw Refusal(
          .badRequest, "Inference-Header-Content-Length is not from 0 to the body's \(body.count)")
      }
      headerCount = Int(count)
      guard headerCount > 0 else {
        try readRaw(body, at: desk)
        return
      }
    }
    do throws(JSONFault) {
      try read(body[0..<headerCount], texts)
    } catch {
      throw error.refusal
    }
    try share(body[headerCount..<body.count])
    for index in inputs.indices { try inputs[index].check(takesTexts: desk.takesCategories) }
  }

  /// No JSON at all: one row for the model's one input, and everything comes back as bytes.
  private mutating func readRaw(_ body: Bytes, at desk: Desk) throws(Refusal) {
    var input = InputTensor()
    input.name = InferenceNames.input
    input.type = desk.tensorType
    input.shape = [1, desk.model.inputCount]
    input.binarySize = body.count
    input.binary = body
    try input.check(takesTexts: false)
    inputs = [input]
    wantsBinary = true
  }

  /// Gives each tensor its bytes.
  private mutating func share(_ bytes: Bytes) throws(Refusal) {
    var rest = bytes
    for index in inputs.indices {
      guard let size = inputs[index].binarySize else { continue }
      guard size >= 0, size <= rest.count else {
        throw Refusal(
          .badRequest,
          "input '\(inputs[index].name)' has \(size) bytes, but only \(rest.count) are left")
      }
      inputs[index].binary = rest[0..<size]
      rest = rest[size..<rest.count]
    }
    guard rest.isEmpty else {
      throw Refusal(.badRequest, "\(rest.count) bytes behind the last input's")
    }
  }

  // MARK: JSON

  private mutating func read(_ text: Bytes, _ texts: TextScratch) throws(JSONFault) {
    var cursor = JSONCursor(text, allowsNonFinite: true)
    try cursor.objectBegins()
    var first = true
    while let name = try cursor.key(&first) {
      switch name {
      case "id":
        let raw = try cursor.raw()
        guard raw.kind == .string else { throw Self.wrong("'id' is a string") }
        id = raw.literal
      case "parameters":
        wantsBinary = try Self.parameters(&cursor)["binary_data_output"]?.isTrue ?? false
      case "inputs":
        try cursor.arrayBegins()
        var firstInput = true
        while try cursor.hasElement(&firstInput) {
          inputs.append(try Self.input(&cursor, texts))
        }
      case "outputs":
        var wishes: [OutputWish] = []
        try cursor.arrayBegins()
        var firstOutput = true
        while try cursor.hasElement(&firstOutput) { wishes.append(try Self.output(&cursor)) }
        outputs = wishes
      default: _ = try cursor.raw()
      }
    }
    try cursor.ends()
    guard !inputs.isEmpty else { throw Self.wrong("there are no inputs") }
  }

  private static func wrong(_ reason: String) -> JSONFault {
    .refusal(Refusal(.badRequest, reason))
  }

  private static func input(
    _ cursor: inout JSONCursor, _ texts: TextScratch
  ) throws(JSONFault) -> InputTensor {
    var input = InputTensor()
    try cursor.objectBegins()
    var first = true
    while let name = try cursor.key(&first) {
      switch name {
      case "name": input.name = try cursor.string()
      case "datatype":
        let text = try cursor.string()
        guard let type = TensorType(rawValue: text) else {
          throw wrong("no datatype is called '\(text.prefix(40))'")
        }
        input.type = type
      case "shape":
        try cursor.arrayBegins()
        var firstLength = true
        while try cursor.hasElement(&firstLength) {
          guard let length = Int(exactly: try cursor.number("a shape")) else {
            throw wrong("a shape is made of whole numbers")
          }
          input.shape.append(length)
        }
      case "data":
        try readData(&cursor, into: &input, texts)
      case "parameters":
        if let size = try parameters(&cursor)["binary_data_size"] {
          guard size.kind == .number, let count = JSONNumber.integer(size.bytes) else {
            throw wrong("binary_data_size is a whole number")
          }
          input.binarySize = Int(count)
        }
      default: _ = try cursor.raw()
      }
    }
    return input
  }

  /// Numbers or strings; null may be either.
  private static func readData(
    _ cursor: inout JSONCursor, into input: inout InputTensor, _ texts: TextScratch
  ) throws(JSONFault) {
    var numbers: [Double] = []
    var strings: [Bytes?] = []
    var (hasNumbers, hasStrings) = (false, false)
    try flatten(&cursor) { (cursor) throws(JSONFault) in
      let kind = try cursor.peeked()
      if kind == .string {
        hasStrings = true
        strings.append(texts.resolved(try cursor.raw()))
      } else {
        hasNumbers = hasNumbers || kind != .null
        numbers.append(try cursor.number("data"))
        if kind == .null { strings.append(nil) }
      }
    }
    guard !hasNumbers || !hasStrings else { throw wrong("data holds strings and numbers") }
    if hasStrings { input.texts = strings } else { input.values = numbers }
  }

  /// Nested or flat, row after row either way.
  private static func flatten(
    _ cursor: inout JSONCursor, take: (inout JSONCursor) throws(JSONFault) -> Void
  ) throws(JSONFault) {
    // As deep as tensors are; JSON's own limit is higher.
    var depth = 0
    var firsts = [Bool](repeating: true, count: 9)
    repeat {
      if depth > 0 {
        guard try cursor.hasElement(&firsts[depth]) else {
          depth -= 1
          continue
        }
      }
      if try cursor.peeked() == .array {
        guard depth < 8 else { throw wrong("data is nested more than 8 deep") }
        try cursor.arrayBegins()
        depth += 1
        firsts[depth] = true
      } else if depth == 0 {
        throw wrong("data is an array")
      } else {
        try take(&cursor)
      }
    } while depth > 0
  }

  private static func output(_ cursor: inout JSONCursor) throws(JSONFault) -> OutputWish {
    var wish = OutputWish()
    try cursor.objectBegins()
    var first = true
    while let name = try cursor.key(&first) {
      switch name {
      case "name": wish.name = try cursor.string()
      case "parameters":
        let parameters = try parameters(&cursor)
        wish.isBinary = parameters["binary_data"]?.isTrue
        if let count = parameters["classification"] {
          guard let number = JSONNumber.integer(count.bytes), number > 0 else {
            throw wrong("classification is a whole number of at least 1")
          }
          wish.classification = Int(min(number, 1 << 20))
        }
      default: _ = try cursor.raw()
      }
    }
    return wish
  }

  private static func parameters(
    _ cursor: inout JSONCursor
  ) throws(JSONFault) -> [String: JSONRaw] {
    var result: [String: JSONRaw] = [:]
    try cursor.objectBegins()
    var first = true
    while let name = try cursor.key(&first) { result[name] = try cursor.raw() }
    return result
  }
}

/// What a model's tensors are called.
enum InferenceNames {
  static let input = "input"
  static let output = "score"
}

extension JSONRaw {
  fileprivate var isTrue: Bool { kind == .bool && bytes.count == 4 }
}
