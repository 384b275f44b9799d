// The decision as a line of JSON; its schema is printed by `rtinfer help records`.

public import Core
import Features
import Models

/// What a decision's record says beside the decision itself: where its row came from, how long it took.
public struct DecisionMarks {
  /// For the record's `_rt.model` and `_rt.version`.
  public let model: String
  public let version: String
  /// Nanoseconds by layer, in the order request, features, inference, postprocess; what earlier stages noted
  /// is included. What follows these four is not read: the response's own time is known only when it is written.
  public var layers: [UInt64]
  /// Of the request, as W3C's trace context names it; nil where nobody follows it.
  public var trace: Bytes?

  public init(model: String, version: String, layers: [UInt64]) {
    self.model = model
    self.version = version
    self.layers = layers
  }
}

extension Decider {
  /// Appends what a caller needs, and no more.
  public func appendAnswer(to output: OutputBuffer) {
    output.append(UInt8(ascii: "{"))
    if !scalars[marks.idSlot].isNull {
      output.append("\"id\":")
      output.append(scalars[marks.idSlot])
      output.append(UInt8(ascii: ","))
    }
    output.append("\"score\":")
    append(decision.scores, to: output)
    appendConclusion(output)
    output.append(UInt8(ascii: "}"))
  }

  /// Appends the record up to the last layer's time, which is not known before the rest is written;
  /// `closeRecord` ends it.
  public func openRecord(
    on output: OutputBuffer, _ kind: RowKind, _ marks: DecisionMarks, withMargin: Bool
  ) {
    output.append("{\"kind\":\"decision\"")
    appendIdentity(output)
    output.append(",\"score\":")
    append(decision.scores, to: output)
    if withMargin {
      output.append(",\"margin\":")
      append(decision.margins, to: output)
    }
    appendConclusion(output)
    appendInputs(output)
    appendExplanation(output)
    appendMarks(output, kind, marks)
  }

  /// Appends what the model would be told of the row that was gathered, and where it comes from.
  public func appendGathered(
    to output: OutputBuffer, _ kind: RowKind, model: String, version: String
  ) {
    output.append("{\"model\":")
    output.appendQuoted(model)
    output.append(",\"version\":")
    output.appendQuoted(version)
    appendIdentity(output)
    appendInputs(output)
    output.append(",")
    if kind == .plain { online?.outcome?.append(to: output) }
    output.append("\"missing\":")
    output.append(Int64(decision.missing))
    output.append("}")
  }

  private func appendConclusion(_ output: OutputBuffer) {
    if let label = decision.label, labels.indices.contains(label) {
      output.append(",\"label\":")
      output.appendQuoted(labels[label])
    }
    if let rule = decision.rule {
      output.append(",\"decision\":")
      output.appendQuoted(decisions[rule])
    }
  }

  public func closeRecord(on output: OutputBuffer, responseNanoseconds: UInt64) {
    output.append(",\"response\":")
    output.appendMicroseconds(nanoseconds: responseNanoseconds)
    output.append("}}}")
  }

  private func appendIdentity(_ output: OutputBuffer) {
    if !scalars[marks.idSlot].isNull {
      output.append(",\"id\":")
      output.append(scalars[marks.idSlot])
    }
    if !scalars[marks.timeSlot].isNull {
      output.append(",\"time\":")
      output.append(scalars[marks.timeSlot])
    }
  }

  /// One output as a number, several as an array.
  func append(_ values: [Double], to output: OutputBuffer) {
    guard values.count != 1 else { return append(values[0], to: output) }
    output.append(UInt8(ascii: "["))
    for (index, value) in values.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      append(value, to: output)
    }
    output.append(UInt8(ascii: "]"))
  }

  /// In as few digits as tell it from its neighbours in the model's precision.
  func append(_ value: Double, to output: OutputBuffer) {
    switch model.precision {
    case .float32: output.append(Float(value))
    case .float64: output.append(value)
    }
  }

  private func appendInputs(_ output: OutputBuffer) {
    output.append(",\"inputs\":{")
    for index in 0..<inputKeys.count {
      output.append(inputKeys[index])
      output.append(Decider.written(decision.inputs[index]))
    }
    output.append(UInt8(ascii: "}"))
  }

  /// An infinity, which a cell of a table may bring, is a number to the model but none to JSON.
  static func written(_ value: Scalar) -> Scalar {
    guard case .double(let number) = value, !number.isFinite else { return value }
    if number.isNaN { return .null }
    return .text(Bytes(number > 0 ? "inf" : "-inf"))
  }

  private func appendMarks(_ output: OutputBuffer, _ kind: RowKind, _ marks: DecisionMarks) {
    output.append(",\"_rt\":{")
    if !scalars[self.marks.offsetSlot].isNull {
      output.append("\"offset\":")
      output.append(scalars[self.marks.offsetSlot])
      output.append(",")
    }
    if kind == .features, !scalars[self.marks.watermarkSlot].isNull {
      output.append("\"features_watermark\":")
      output.append(scalars[self.marks.watermarkSlot])
      output.append(",")
    }
    if kind == .plain { online?.append(to: output) }
    output.append("\"model\":")
    output.appendQuoted(marks.model)
    output.append(",\"version\":")
    output.appendQuoted(marks.version)
    if let trace = marks.trace {
      output.append(",\"trace\":")
      output.appendQuoted(trace)
    }
    output.append(",\"missing\":")
    output.append(Int64(decision.missing))
    output.append(",\"layers_us\":{")
    for (index, name) in ["request", "features", "inference", "postprocess"].enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      output.append("\"\(name)\":")
      output.appendMicroseconds(nanoseconds: marks.layers[index])
    }
  }

  /// Nanoseconds that earlier stages noted for the request and the features.
  public var earlierLayers: (request: UInt64, features: UInt64) {
    func nanoseconds(_ slot: Int) -> UInt64 {
      guard let number = scalars[slot].number, number >= 0, number < 1e12 else { return 0 }
      return UInt64((number * 1_000).rounded())
    }
    return (nanoseconds(marks.requestTimeSlot), nanoseconds(marks.featuresTimeSlot))
  }

  /// The event type that the row's maker noted, if any.
  public var rowType: Bytes? {
    if case .text(let type) = scalars[marks.typeSlot] { return type }
    return nil
  }
}
