// A small ONNX file written by hand, and its parts to be changed: protobuf has no text to edit.

/// Writes the fields of a protobuf message.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func add(_ field: Int, _ value: Int) {
    varint(UInt64(field) << 3)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func add(_ field: Int, _ value: Float) {
    varint(UInt64(field) << 3 | 5)
    bytes += withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
  }

  mutating func add(_ field: Int, _ value: [UInt8]) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func add(_ field: Int, _ value: String) { add(field, Array(value.utf8)) }

  mutating func add(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
    var message = ProtobufWriter()
    body(&message)
    add(field, message.bytes)
  }
}

/// Two trees, the second of one leaf, as a regressor or a classifier:
///
///     0: x0 <= 0.5 ? 1 : (x1 > 2 ? 2 : 4)      1: 8
struct TinyONNX {
  enum Value {
    case integer(Int)
    case integers([Int])
    case floats([Float])
    case text(String)
    case texts([String])
  }

  struct Node {
    var operation: String
    var name = ""
    var domain = ""
    var inputs: [String] = []
    var outputs: [String] = []
    var attributes: [(String, Value)] = []
  }

  var trees: [String: Value] = [
    "nodes_treeids": .integers([0, 0, 0, 0, 0, 1]),
    "nodes_nodeids": .integers([0, 1, 2, 3, 4, 0]),
    "nodes_featureids": .integers([0, 0, 1, 0, 0, 0]),
    "nodes_modes": .texts(["BRANCH_LEQ", "LEAF", "BRANCH_GT", "LEAF", "LEAF", "LEAF"]),
    "nodes_values": .floats([0.5, 0, 2, 0, 0, 0]),
    "nodes_truenodeids": .integers([1, 0, 3, 0, 0, 0]),
    "nodes_falsenodeids": .integers([2, 0, 4, 0, 0, 0]),
    "target_treeids": .integers([0, 0, 0, 1]),
    "target_nodeids": .integers([1, 3, 4, 0]),
    "target_ids": .integers([0, 0, 0, 0]),
    "target_weights": .floats([1, 2, 4, 8]),
  ]
  var operation = "TreeEnsembleRegressor"
  var treeInput = "X"
  /// Before and behind the trees.
  var before: [Node] = []
  var behind: [Node] = []
  /// Name, type and columns (0: open).
  var inputs: [(String, Int, Int)] = [("X", 1, 2)]
  var outputs = ["Y"]
  var constants: [(String, [Float])] = []

  /// The same trees as a classifier with so many labels, weights of these classes.
  static func classifier(labels: Int, ids: [Int]) -> TinyONNX {
    var tiny = TinyONNX()
    tiny.operation = "TreeEnsembleClassifier"
    for name in ["treeids", "nodeids", "weights"] {
      tiny.trees["class_\(name)"] = tiny.trees.removeValue(forKey: "target_\(name)")
    }
    tiny.trees.removeValue(forKey: "target_ids")
    tiny.trees["class_ids"] = .integers(ids)
    tiny.trees["classlabels_int64s"] = .integers(Array(0..<labels))
    tiny.outputs = ["L", "Y"]
    return tiny
  }

  var bytes: [UInt8] {
    var model = ProtobufWriter()
    model.add(1, 8)
    model.add(2, "tiny")
    model.add(3, "1.0")
    model.add(7) { graph in
      var nodes = before
      nodes.append(
        Node(
          operation: operation, name: "trees", domain: "ai.onnx.ml", inputs: [treeInput],
          outputs: operation == "TreeEnsembleClassifier" ? ["L", "Y"] : ["Y"],
          attributes: trees.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
      for node in nodes + behind { graph.add(1) { write(node, &$0) } }
      for (name, numbers) in constants {
        graph.add(5) { tensor in
          tensor.add(1, numbers.count)
          tensor.add(2, 1)
          for number in numbers { tensor.add(4, number) }
          tensor.add(8, name)
        }
      }
      for (name, type, columns) in inputs {
        graph.add(11) { port in
          port.add(1, name)
          port.add(2) { kind in
            kind.add(1) { tensor in
              tensor.add(1, type)
              tensor.add(2) { shape in
                shape.add(1) { $0.add(2, "N") }
                shape.add(1) { if columns > 0 { $0.add(1, columns) } }
              }
            }
          }
        }
      }
      for name in outputs { graph.add(12) { $0.add(1, name) } }
    }
    model.add(8) { $0.add(2, 3) }
    return model.bytes
  }

  private func write(_ node: Node, _ writer: inout ProtobufWriter) {
    for input in node.inputs { writer.add(1, input) }
    for output in node.outputs { writer.add(2, output) }
    writer.add(3, node.name)
    writer.add(4, node.operation)
    for (name, value) in node.attributes {
      writer.add(5) { attribute in
        attribute.add(1, name)
        switch value {
        case .integer(let value): attribute.add(3, value)
        case .integers(let values): for value in values { attribute.add(8, value) }
        case .floats(let values): for value in values { attribute.add(7, value) }
        case .text(let value): attribute.add(4, value)
        case .texts(let values): for value in values { attribute.add(9, value) }
        }
      }
    }
    writer.add(7, node.domain)
  }
}
