// Every decision of every arm as a record, so that a verdict can be looked into, or computed again by somebody else.

import Core
import Decisions
import Events
import Models
import Replay

enum BenchABDecisions {
  static func write(
    _ replay: HistoryReplay, _ worth: [[Double?]], _ plan: BenchABPlan, to path: String
  ) throws(Failure) {
    let output = OutputBuffer(try OutputFile.sink(path))
    let decoder = EventDecoder(plan.schema)
    for question in replay.times.indices {
      let line = replay.lines[question]
      for (arm, trace) in replay.traces.enumerated() {
        line.withBytes { line in
          let event = decoder.decodeAccepted(line)
          append(event, replay, arm, question, to: output)
        }
        output.append(",\"outcome\":")
        output.append(replay.outcome(question))
        output.append(",\"value\":")
        output.append(worth[arm][question].map { .double($0) } ?? .null)
        if trace.arm.waits {
          output.append(",\"decided\":")
          output.appendQuoted(trace.arm.decided(replay.times[question]))
        }
        output.append(",\"_rt\":{\"variant\":")
        output.appendQuoted(trace.arm.name)
        output.append(",\"features_watermark\":")
        output.appendQuoted(trace.arm.asOf(replay.times[question]))
        output.append("}}")
        try output.endRecord()
      }
    }
    try output.flush()
  }

  private static func append(
    _ event: Event, _ replay: HistoryReplay, _ arm: Int, _ question: Int, to output: OutputBuffer
  ) {
    output.append("{\"kind\":\"decision\",\"id\":")
    output.append(event.id.literal)
    output.append(",\"time\":")
    output.appendQuoted(event.time)
    output.append(",\"score\":")
    let score = replay.traces[arm].scores[question]
    switch replay.decider(arm).model.precision {
    case .float32: output.append(Float(score))
    case .float64: output.append(score)
    }
    output.append(",\"decision\":")
    if let decision = replay.decision(arm, question) {
      output.appendQuoted(decision)
    } else {
      output.append("null")
    }
  }
}
