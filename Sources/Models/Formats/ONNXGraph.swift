// The messages of an ONNX file that a tree ensemble needs (onnx/onnx.proto in onnx/onnx), by their
// fields' numbers:
//
//     ModelProto      1 ir_version, 2 producer_name, 3 producer_version, 7 graph, 8 opset_import,
//                     25 functions
//     GraphProto      1 node, 5 initializer, 11 input, 12 output, 15 sparse_initializer
//     NodeProto       1 input, 2 output, 3 name, 4 op_type, 5 attribute, 7 domain
//     AttributeProto  1 name, 2 f, 3 i, 4 s, 5 t, 7 floats, 8 ints, 9 strings
//     TensorProto     1 dims, 2 data_type, 4 float_data, 5 int32_data, 7 int64_data, 8 name,
//                     9 raw_data, 10 double_data, 14 data_location
//     ValueInfoProto  1 name, 2 type { 1 tensor_type { 1 elem_type, 2 shape { 1 dim { 1 dim_value }}}}
//
// Other fields are passed over. Lists that an attribute holds are as long as the bytes they were read
// from, so nothing here asks for memory that the file does not pay for.

import Core

/// The types of a tensor's numbers that are understood, as the file numbers them.
enum ONNXType: Int {
  case float = 1
  case int32 = 6
  case int64 = 7
  case double = 11
}

struct ONNXTensor {
  var name = ""
  var dims: [Int] = []
  /// As the file numbers it: see `ONNXType`.
  var type = 0
  /// The numbers, exact but for integers beyond 2^53.
  var numbers: [Double] = []

  init(_ field: ProtobufField) throws(Failure) {
    var message = try field.message("TensorProto")
    var raw: (field: ProtobufField, bytes: Bytes)?
    while let field = try message.next() {
      switch field.number {
      case 1: try field.integers(into: &dims)
      case 2: type = try field.integer()
      case 4:
        var floats: [Float] = []
        try field.floats(into: &floats)
        numbers += floats.map(Double.init)
      case 5, 7:
        var integers: [Int] = []
        try field.integers(into: &integers)
        numbers += integers.map(Double.init)
      case 8: name = try field.text()
      case 9: raw = (field, try field.bytes())
      case 10: try field.doubles(into: &numbers)
      case 14 where try field.integer() != 0:
        throw field.failure("the numbers are in another file, which is not supported")
      default: break
      }
    }
    guard let raw else { return }
    switch ONNXType(rawValue: type) {
    case .float:
      numbers = try raw.field.numbers(raw.bytes, UInt32.self).map { Double(Float(bitPattern: $0)) }
    case .double:
      numbers = try raw.field.numbers(raw.bytes, UInt64.self).map { Double(bitPattern: $0) }
    case .int32: numbers = try raw.field.numbers(raw.bytes, Int32.self).map(Double.init)
    case .int64: numbers = try raw.field.numbers(raw.bytes, Int64.self).map(Double.init)
    case nil: break
    }
  }
}

struct ONNXAttribute {
  var name = ""
  var float: Float?
  var integer: Int?
  var text: Bytes?
  var tensor: ONNXTensor?
  var floats: [Float] = []
  var integers: [Int] = []
  var texts: [Bytes] = []

  init(_ field: ProtobufField) throws(Failure) {
    var message = try field.message("AttributeProto")
    while let field = try message.next() {
      switch field.number {
      case 1: name = try field.text()
      case 2: float = try field.float()
      case 3: integer = try field.integer()
      case 4: text = try field.bytes()
      case 5: tensor = try ONNXTensor(field)
      case 7: try field.floats(into: &floats)
      case 8: try field.integers(into: &integers)
      case 9: texts.append(try field.bytes())
      default: break
      }
    }
  }
}

struct ONNXNode {
  var name = ""
  var operation = ""
  var domain = ""
  var inputs: [String] = []
  var outputs: [String] = []
  private(set) var attributes: [String: ONNXAttribute] = [:]
  /// The file's name, for messages.
  let source: String
  /// Its place among the graph's nodes.
  let index: Int

  init(_ field: ProtobufField, source: String, index: Int) throws(Failure) {
    (self.source, self.index) = (source, index)
    var message = try field.message("NodeProto")
    while let field = try message.next() {
      switch field.number {
      case 1: inputs.append(try field.text())
      case 2: outputs.append(try field.text())
      case 3: name = try field.text()
      case 4: operation = try field.text()
      case 5:
        let attribute = try ONNXAttribute(field)
        guard attributes.updateValue(attribute, forKey: attribute.name) == nil else {
          throw failure("attribute \(attribute.name) is given twice")
        }
      case 7: domain = try field.text()
      default: break
      }
    }
    // Its other name.
    if domain == "ai.onnx" { domain = "" }
  }

  /// `Mul`, `ai.onnx.ml.Scaler`.
  var title: String { domain.isEmpty ? operation : "\(domain).\(operation)" }

  /// Whether it is one of the operators that `ONNXTrees` reads.
  var isTreeEnsemble: Bool {
    ["ai.onnx.ml.TreeEnsembleClassifier", "ai.onnx.ml.TreeEnsembleRegressor"].contains(title)
  }

  func failure(_ reason: String, hint: String? = nil) -> Failure {
    let which = name.isEmpty ? "node \(index)" : "node '\(name)'"
    return .badData("\(source): \(which), \(title): \(reason)", hint: hint)
  }

  func integer(_ name: String, default other: Int) -> Int { attributes[name]?.integer ?? other }

  func text(_ name: String, default other: String) -> String {
    attributes[name]?.text?.string ?? other
  }
}

/// What goes into a graph, or comes out of it.
struct ONNXPort {
  var name = ""
  /// As the file numbers it; nil where it is no tensor, or none is said.
  var type: Int?
  /// One for each dimension, nil where it is open; nil where the file does not say the shape.
  var dims: [Int?]?

  init(_ field: ProtobufField) throws(Failure) {
    var message = try field.message("ValueInfoProto")
    while let field = try message.next() {
      switch field.number {
      case 1: name = try field.text()
      case 2:
        var kind = try field.message("TypeProto")
        while let field = try kind.next() {
          if field.number == 1 { try readTensor(field) }
        }
      default: break
      }
    }
  }

  private mutating func readTensor(_ field: ProtobufField) throws(Failure) {
    var tensor = try field.message("TypeProto.Tensor")
    while let field = try tensor.next() {
      switch field.number {
      case 1: type = try field.integer()
      case 2:
        var shape = try field.message("TensorShapeProto")
        var found: [Int?] = []
        while let field = try shape.next() {
          guard field.number == 1 else { continue }
          var dimension = try field.message("Dimension")
          var value: Int?
          while let field = try dimension.next() {
            if field.number == 1 { value = try field.integer() }
          }
          found.append(value.flatMap { $0 > 0 ? $0 : nil })
        }
        dims = found
      default: break
      }
    }
  }
}

struct ONNXGraph {
  var nodes: [ONNXNode] = []
  var constants: [String: ONNXTensor] = [:]
  /// Without those that are constants: up to version 3 of the format these are listed too.
  private(set) var inputs: [ONNXPort] = []
  var outputs: [ONNXPort] = []

  init(_ field: ProtobufField, source: String) throws(Failure) {
    var message = try field.message("GraphProto")
    while let field = try message.next() {
      switch field.number {
      case 1: nodes.append(try ONNXNode(field, source: source, index: nodes.count))
      case 5:
        let tensor = try ONNXTensor(field)
        constants[tensor.name] = tensor
      case 11: inputs.append(try ONNXPort(field))
      case 12: outputs.append(try ONNXPort(field))
      case 15: throw field.failure("sparse initializers are not supported yet")
      default: break
      }
    }
    inputs.removeAll { constants[$0.name] != nil }
  }
}

struct ONNXModel {
  var producer = ""
  var producerVersion = ""
  let graph: ONNXGraph

  init(_ bytes: Bytes, source: String) throws(Failure) {
    var message = ProtobufMessage(bytes, source: source, name: "ModelProto")
    var graph: ONNXGraph?
    while let field = try message.next() {
      switch field.number {
      case 2: producer = try field.text()
      case 3: producerVersion = try field.text()
      case 7:
        guard graph == nil else { throw field.failure("a second graph") }
        graph = try ONNXGraph(field, source: source)
      case 25: throw field.failure("functions of the file's own are not supported")
      default: break
      }
    }
    guard let graph else { throw .badData("\(source): graph is missing") }
    self.graph = graph
  }

  /// `skl2onnx 1.20.0`; CatBoost's version is a page of text, of which nothing is kept.
  var library: String {
    let isWord = !producerVersion.isEmpty && !producerVersion.contains(where: \.isWhitespace)
    return isWord ? "\(producer) \(producerVersion)" : producer
  }
}
