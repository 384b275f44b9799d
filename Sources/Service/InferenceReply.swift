// The reply to an infer request: JSON, and behind it the bytes of the outputs that are wanted so.

import Core
import HTTP
import Models

final class InferenceReply: PredictionReply {
  private let model: String
  /// Lies in the request's body, which stays until it is answered.
  private let id: Bytes
  private let wishes: [OutputWish]
  private let isBinary: Bool
  private let labels: [String]
  /// Bytes of the JSON, where others follow it.
  private var headerCount: Int?

  init(model: String, id: Bytes, wishes: [OutputWish], isBinary: Bool, labels: [String]) {
    self.model = model
    self.id = id
    self.wishes = wishes
    self.isBinary = isBinary
    self.labels = labels
  }

  var type: ContentType { headerCount == nil ? .json : .octets }

  func appendFields(to fields: OutputBuffer) {
    guard let headerCount else { return }
    fields.append("Inference-Header-Content-Length: ")
    fields.append(UInt64(headerCount))
    fields.append("\r\n")
  }

  func write(_ scores: Scores, to body: OutputBuffer) {
    let behind = OutputBuffer(MemorySink(), capacity: 1 << 10)
    body.append("{\"model_name\":")
    body.appendQuoted(model)
    body.append(",\"model_version\":\"1\"")
    if !id.isEmpty {
      body.append(",\"id\":")
      body.append(id)
    }
    body.append(",\"outputs\":[")
    for (index, wish) in wishes.enumerated() {
      if index > 0 { body.append(",") }
      write(wish, scores, to: body, behind: behind)
    }
    body.append("]}")
    let start = body.count
    body.append(behind.pending)
    headerCount = body.count > start || wantsBytes ? start : nil
  }

  private var wantsBytes: Bool { wishes.contains { $0.isBinary ?? isBinary } }

  private func write(
    _ wish: OutputWish, _ scores: Scores, to body: OutputBuffer, behind: OutputBuffer
  ) {
    let isBinary = wish.isBinary ?? isBinary
    let classes = wish.classification.map { min($0, scores.width) }
    let type = classes == nil ? scores.desk.tensorType : .bytes
    body.append("{\"name\":\"\(InferenceNames.output)\",\"datatype\":\"\(type.rawValue)\"")
    body.append(",\"shape\":[\(scores.rowCount),\(classes ?? scores.width)]")
    let start = behind.count
    if !isBinary { body.append(",\"data\":[") }
    for row in 0..<scores.rowCount {
      if let classes {
        writeClasses(scores, row, classes, isBinary: isBinary, to: isBinary ? behind : body)
      } else {
        for output in 0..<scores.width {
          if isBinary {
            InferenceReply.append(scores[row, output], as: type, to: behind)
          } else {
            if row + output > 0 { body.append(",") }
            scores.append(row, output, to: body)
          }
        }
      }
    }
    if isBinary {
      body.append(",\"parameters\":{\"binary_data_size\":\(behind.count - start)}}")
    } else {
      body.append("]}")
    }
  }

  /// `value:index`, and the label where there is one, the greatest first.
  private func writeClasses(
    _ scores: Scores, _ row: Int, _ count: Int, isBinary: Bool, to output: OutputBuffer
  ) {
    let order = (0..<scores.width).sorted {
      (scores[row, $1], $0) < (scores[row, $0], $1)
    }
    for (place, index) in order.prefix(count).enumerated() {
      let value = scores[row, index]
      let number = scores.model.precision == .float32 ? Float(value).description : value.description
      let label = labels.indices.contains(index) && scores.width > 1 ? ":\(labels[index])" : ""
      let text = "\(number):\(index)\(label)"
      if isBinary {
        InferenceReply.append(UInt32(text.utf8.count), to: output)
        output.append(text)
      } else {
        if row + place > 0 { output.append(",") }
        output.appendQuoted(text)
      }
    }
  }

  private static func append(_ value: Double, as type: TensorType, to output: OutputBuffer) {
    if type == .fp32 {
      append(Float(value).bitPattern, to: output)
    } else {
      append(value.bitPattern, to: output)
    }
  }

  private static func append<Value: FixedWidthInteger>(_ value: Value, to output: OutputBuffer) {
    withUnsafeBytes(of: value.littleEndian) { bytes in
      output.append(Bytes(bytes.assumingMemoryBound(to: UInt8.self)))
    }
  }
}
