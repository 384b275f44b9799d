// What bench pipeline prints: a table for people, summary records for machines.

import Core
import Decisions
import Measure

struct PipelineReport {
  private let models: [DeclaredModel]
  private let run: PipelineRun
  private let machine = Machine.current(build: RTInfer.version)
  private static let percents = [50.0, 99, 99.9]

  init(_ models: [DeclaredModel], _ run: PipelineRun) {
    self.models = models
    self.run = run
  }

  // MARK: Records

  /// Appends the summary of the sampled size's run, and one of the pipeline for each size.
  func append(to output: OutputBuffer, holdsHistograms: Bool) {
    let plan = LoadPlan(
      url: "in process", load: .closed(concurrency: 1), seed: 0, warmup: .zero, lagMax: nil,
      machine: machine)
    run.tally.append(
      to: output, plan, started: run.started, epoch: run.epoch, holdsHistograms: holdsHistograms,
      label: "pipeline")
    for result in run.results { append(result, to: output) }
  }

  private func append(_ result: PipelineResult, to output: OutputBuffer) {
    output.append("{\"kind\":\"summary\",\"what\":\"pipeline\",\"models\":[")
    for (index, model) in models.enumerated() {
      if index > 0 { output.append(",") }
      output.appendQuoted(model.definition.name)
    }
    output.append("],\"batch\":")
    output.append(Int64(result.batch))
    output.append(",\"events\":")
    output.append(Int64(result.events))
    output.append(",\"decided\":")
    output.append(Int64(result.decided))
    output.append(",\"refused\":")
    output.append(Int64(result.refused))
    output.append(",\"repeats\":")
    output.append(Int64(result.passes.count))
    output.append(",\"events_per_s\":")
    output.append(result.rate)
    output.append(",\"best_events_per_s\":")
    output.append(result.bestRate)
    output.append(",\"clock_ns\":")
    output.append(run.clockCost)
    output.append(",\"us_per_event\":{")
    for (index, layer) in Layer.allCases.enumerated() {
      if index > 0 { output.append(",") }
      output.appendQuoted(layer.rawValue)
      output.append(":")
      output.append(result.mean(index))
    }
    output.append("}")
    if let instructions = result.instructions { append(instructions, to: output) }
    output.append(",\"decided_us\":{")
    for (index, layer) in Layer.allCases.enumerated() {
      append(layer.rawValue, result.layers[index], to: output)
      output.append(",")
    }
    append("total", result.total, to: output)
    output.append("}")
    if result.told.count > 0 {
      output.append(",")
      append("told_us", result.told, to: output)
    }
    output.append("}\n")
  }

  private func append(_ instructions: [Double], to output: OutputBuffer) {
    output.append(",\"instructions_per_event\":{")
    for (index, layer) in Layer.allCases.enumerated() {
      if index > 0 { output.append(",") }
      output.appendQuoted(layer.rawValue)
      output.append(":")
      output.append(instructions[index].rounded())
    }
    output.append("}")
  }

  private func append(_ name: String, _ histogram: LatencyHistogram, to output: OutputBuffer) {
    output.appendQuoted(name)
    output.append(":{")
    for percent in PipelineReport.percents {
      output.append("\"p\(percent.plain)\":" as String)
      output.appendMicroseconds(nanoseconds: histogram.percentile(percent) ?? 0)
      output.append(",")
    }
    output.append("\"max\":")
    output.appendMicroseconds(nanoseconds: histogram.maximum)
    output.append("}")
  }

  // MARK: Text

  var text: String {
    let first = run.results[0]
    let names = models.map { "\($0.definition.name) (\($0.version))" }.joined(separator: ", ")
    var text =
      "\(names): \(first.events.grouped) events in memory, \(first.decided.grouped) decisions,"
      + " one thread\n\(machine.processor); a reading of the clock takes"
      + " \(run.clockCost.fixed(0)) ns: in a call of one event, one is in each layer and five in the total\n\n"
    text += "  batch      events/s          best   µs/event"
    for layer in Layer.allCases { text += layer.rawValue.leftPadded(13) }
    text += "\n"
    for result in run.results { text += row(result) }
    text += instructions
    for result in run.results { text += "\n" + percentiles(result) }
    return text
  }

  private func row(_ result: PipelineResult) -> String {
    var text = "  \(Help.padded(result.batch.grouped, 7))"
    text += Int(result.rate).grouped.leftPadded(12) + Int(result.bestRate).grouped.leftPadded(14)
    text += (1e6 / result.rate).fixed(2).leftPadded(11)
    for index in Layer.allCases.indices { text += result.mean(index).fixed(3).leftPadded(13) }
    return text + "\n"
  }

  /// Under the columns of the layers.
  private var instructions: String {
    guard run.results.contains(where: { $0.instructions != nil }) else {
      return InstructionCount.lack
    }
    var text = "\n  batch        instructions/event by layer\n"
    for result in run.results {
      guard let counts = result.instructions else { continue }
      text += Help.padded("  \(Help.padded(result.batch.grouped, 7))", 46)
      for count in counts { text += Int(count).grouped.leftPadded(13) }
      text += "\n"
    }
    return text
  }

  private func percentiles(_ result: PipelineResult) -> String {
    let call =
      result.batch == 1
      ? "a decision, an event at a time"
      : "a decision among \(result.batch.grouped) events, for all of which it waits"
    var text = "  \(call)\n" + Help.padded("", 16)
    for name in ["p50", "p99", "p99.9", "max"] { text += name.leftPadded(10) }
    text += "\n"
    for (index, layer) in Layer.allCases.enumerated() {
      text += line(layer.rawValue, result.layers[index])
    }
    text += line("total", result.total)
    if result.told.count > 0 { text += line("only told", result.told) }
    return text
  }

  private func line(_ name: String, _ histogram: LatencyHistogram) -> String {
    var text = Help.padded("  \(name)", 16)
    for percent in PipelineReport.percents {
      text += LayerTimes.readable(histogram.percentile(percent) ?? 0).leftPadded(10)
    }
    return text + LayerTimes.readable(histogram.maximum).leftPadded(10) + "\n"
  }
}
