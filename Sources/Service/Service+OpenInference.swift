// The Open Inference Protocol (V2) with Triton's binary tensors, classification and statistics. A model
// has one input tensor, `input` [rows, inputs], and one output, `score` [rows, scores]. Rows may also come as one
// tensor for each input by name; where there is only one tensor, its name does not matter.

import Core
import Decisions
import HTTP
import Models

extension Service {
  func openInference(_ call: Call) throws(Refusal) {
    switch call.route.kind {
    case .v2Live: answer(call, json: "{\"live\":true}")
    case .v2Ready:
      let isReady = state.stage == .serving
      answer(
        call, isReady ? .ok : .unavailable, json: isReady ? "{\"ready\":true}" : "{\"ready\":false}"
      )
    case .v2Server: describeServer(call)
    case .v2Model: describe(call, try servedDesk(call.route))
    case .v2ModelReady:
      let desk = try servedDesk(call.route)
      body.rewind(to: 0)
      body.append("{\"name\":")
      body.appendQuoted(desk.served.name)
      body.append(",\"ready\":true}")
      respond(call, .ok, .json, body: body.pending)
    case .v2Index: try repositoryIndex(call)
    case .v2Load: try changeModel(call, .load)
    case .v2Unload: try changeModel(call, .unload)
    case .v2Stats: try statistics(call)
    default: try infer(call)
    }
  }

  // MARK: Descriptions

  private func describeServer(_ call: Call) {
    body.rewind(to: 0)
    body.append("{\"name\":\"rtinfer\",\"version\":")
    body.appendQuoted(options.version)
    body.append(
      ",\"extensions\":[\"classification\",\"model_repository\",\"binary_tensor_data\",\"statistics\"]}"
    )
    respond(call, .ok, .json, body: body.pending)
  }

  private func describe(_ call: Call, _ desk: Desk) {
    func tensor(_ name: String, _ width: Int) {
      body.append("[{\"name\":\"\(name)\",\"datatype\":\"\(desk.tensorType.rawValue)\"")
      body.append(",\"shape\":[-1,\(width)]}]")
    }
    body.rewind(to: 0)
    body.append("{\"name\":")
    body.appendQuoted(desk.served.name)
    body.append(",\"versions\":[\"\(desk.served.wireVersion)\"],\"platform\":")
    body.appendQuoted("rtinfer_\(desk.model.format)")
    body.append(",\"inputs\":")
    tensor(InferenceNames.input, desk.model.inputCount)
    body.append(",\"outputs\":")
    tensor(InferenceNames.output, desk.model.scoreCount)
    body.append("}")
    respond(call, .ok, .json, body: body.pending)
  }

  private func statistics(_ call: Call) throws(Refusal) {
    let chosen = call.route.model.isEmpty ? nil : try servedDesk(call.route).served.name
    let models = meters.total().models.filter { model in
      chosen.map { $0 == model.name } ?? desks.contains { $0.served.name == model.name }
    }
    body.rewind(to: 0)
    body.append("{\"model_stats\":[")
    for (index, model) in models.enumerated() {
      if index > 0 { body.append(",") }
      appendStatistics(model.name, model.counts)
    }
    body.append("]}")
    respond(call, .ok, .json, body: body.pending)
  }

  private func appendStatistics(_ name: String, _ counts: ModelCounts) {
    func duration(_ name: StaticString, _ count: Int, _ nanoseconds: UInt64) {
      body.append("\"")
      body.append(name)
      body.append("\":{\"count\":\(count),\"ns\":\(nanoseconds)}")
    }
    let answered = counts.total.count
    let sums = counts.layers.map(\.sum)
    body.append("{\"name\":")
    body.appendQuoted(name)
    body.append(",\"version\":\"1\",\"last_inference\":\(counts.lastInference)")
    body.append(",\"inference_count\":\(counts.rows),\"execution_count\":\(counts.batches)")
    body.append(",\"inference_stats\":{")
    duration("success", answered, counts.total.sum)
    body.append(",")
    duration("fail", counts.failed + counts.tooLate + counts.dropped, 0)
    body.append(",")
    duration("queue", answered, counts.queue.sum)
    body.append(",")
    duration("compute_input", answered, sums[0] + sums[1])
    body.append(",")
    duration("compute_infer", answered, sums[2])
    body.append(",")
    duration("compute_output", answered, sums[3] + sums[4])
    body.append(",")
    duration("cache_hit", 0, 0)
    body.append(",")
    duration("cache_miss", 0, 0)
    body.append("},\"response_stats\":{},\"batch_stats\":[],\"memory_usage\":[]}")
  }

  // MARK: Inference

  private func infer(_ call: Call) throws(Refusal) {
    let desk = try servedDesk(call.route)
    let began = clock.monotonicNanoseconds()
    texts.reset()
    let request = try InferenceRequest(call.request, at: desk, texts)
    let wishes = request.outputs ?? [OutputWish(name: InferenceNames.output)]
    for wish in wishes where wish.name != InferenceNames.output {
      throw Refusal(
        .badRequest,
        "model '\(desk.served.name)' has no output '\(wish.name.prefix(100))'; it has score")
    }
    let rows = try place(request.inputs, on: desk)
    try predict(
      call, rows: rows, at: desk, began: began,
      InferenceReply(
        model: desk.served.name, id: request.id, wishes: wishes,
        isBinary: request.wantsBinary, labels: desk.labels))
  }

  /// Puts the tensors' values onto the desk, and returns how many rows they are.
  private func place(_ inputs: [InputTensor], on desk: Desk) throws(Refusal) -> Int {
    let width = desk.model.inputCount
    if inputs.count == 1, let shape = matrix(inputs[0].shape, width: width) {
      let values = try room(shape, at: desk)
      guard !desk.takesCategories else {
        for index in 0..<shape * width {
          let (row, input) = index.quotientAndRemainder(dividingBy: width)
          values[index] = try desk.told(inputs[0].scalar(index), ofInput: input, row: row)
        }
        return shape
      }
      for index in 0..<shape * width { values[index] = inputs[0].value(index) }
      substitute(values, rows: shape, at: desk)
      return shape
    }
    let names = desk.seat(desk.tickets.count).inputNames
    guard inputs.count > 1 || inputs.map(\.name) == names else {
      throw Refusal(
        .badRequest,
        "input '\(inputs[0].name)' has the shape \(inputs[0].shape); the model takes [-1,\(width)]")
    }
    let rows = inputs[0].count ?? 0
    let values = try room(rows, at: desk)
    for (column, input) in try columns(inputs, names, rows: rows).enumerated() {
      for row in 0..<rows {
        let place = row * width + column
        if desk.takesCategories {
          values[place] = try desk.told(input?.scalar(row) ?? .null, ofInput: column, row: row)
        } else {
          values[place] = input?.value(row) ?? .nan
        }
      }
    }
    if !desk.takesCategories { substitute(values, rows: rows, at: desk) }
    return rows
  }

  /// Tensors of one column each, by the model's inputs; nil for an input that is not given.
  private func columns(
    _ inputs: [InputTensor], _ names: [String], rows: Int
  ) throws(Refusal) -> [InputTensor?] {
    var columns = [InputTensor?](repeating: nil, count: names.count)
    for input in inputs {
      guard let column = names.firstIndex(of: input.name) else {
        let nearest = Spelling.nearest(input.name, among: names).map { "; did you mean '\($0)'?" }
        throw Refusal(.badRequest, "no input '\(input.name.prefix(100))'\(nearest ?? "")")
      }
      guard input.shape == [rows] || input.shape == [rows, 1] else {
        throw Refusal(
          .badRequest, "input '\(input.name)' has the shape \(input.shape), not [\(rows),1]")
      }
      guard columns[column] == nil else {
        throw Refusal(.badRequest, "two inputs are called '\(input.name)'")
      }
      columns[column] = input
    }
    return columns
  }

  /// Rows of a tensor that holds whole rows; nil where it does not.
  private func matrix(_ shape: [Int], width: Int) -> Int? {
    if shape.count == 2, shape[1] == width { return shape[0] }
    // One row without its batch.
    return shape == [width] && width > 1 ? 1 : nil
  }

  private func substitute(
    _ values: UnsafeMutableBufferPointer<Double>, rows: Int, at desk: Desk
  ) {
    let width = desk.model.inputCount
    for (input, substitute) in desk.substitutes.enumerated() where !substitute.isNaN {
      for row in 0..<rows where values[row * width + input].isNaN {
        values[row * width + input] = substitute
      }
    }
  }
}
