// What the rows that answer one type of event have in common, ready to be written: `"view:feature":`, with the comma before
// it, and likewise the entity's members. Plain values, kept as long as the process, so that a row counts no reference.

import Core
import Features

/// What stands between the values of every row, in order.
struct FeatureRowParts {
  let id = Stencil("{\"kind\":\"features\",\"id\":")
  let time = Stencil(",\"time\":")
  let entity = Stencil(",\"entity\":{")
  let request = Stencil("},\"request\":")
  let features = Stencil("},\"features\":{")
  let type = Stencil("},\"_rt\":{\"type\":")
  let offset = Stencil(",\"offset\":")
  let watermark = Stencil(",\"watermark\":")
  let parseTime = Stencil(",\"layers_us\":{\"request\":")
  let lookUpTime = Stencil(",\"features\":")
  let end = Stencil("}}}")
}

/// What comes with a type of event.
struct FeatureRowForm {
  private struct Member {
    let key: Stencil
    let slot: Int
  }

  private struct Answer {
    let key: Stencil
    let isDocument: Bool
  }

  private let entity: UnsafeBufferPointer<Member>
  private let answers: UnsafeBufferPointer<Answer>

  init(_ plan: RequestPlan) {
    entity = FeatureRowForm.keep(
      plan.entityMembers.enumerated().map { index, member in
        Member(key: FeatureRowForm.key(member.name, index), slot: member.slot)
      })
    answers = FeatureRowForm.keep(
      plan.answers.enumerated().map { index, answer in
        Answer(key: FeatureRowForm.key(answer.name, index), isDocument: answer.isDocument)
      })
  }

  private static func keep<Element>(_ elements: [Element]) -> UnsafeBufferPointer<Element> {
    let memory = UnsafeMutableBufferPointer<Element>.allocate(capacity: elements.count)
    _ = memory.initialize(from: elements)
    return UnsafeBufferPointer(memory)
  }

  private static func key(_ name: String, _ index: Int) -> Stencil {
    let text = OutputBuffer(MemorySink())
    if index > 0 { text.append(UInt8(ascii: ",")) }
    text.appendQuoted(name)
    text.append(UInt8(ascii: ":"))
    return Stencil(text.pending)
  }

  /// Appends the members that name the entity.
  func appendEntity(_ scalars: UnsafePointer<Scalar>, to output: OutputBuffer) {
    for index in 0..<entity.count {
      output.append(entity[index].key)
      output.append(scalars[entity[index].slot])
    }
  }

  /// Appends the features' values.
  func appendAnswers(_ values: UnsafeBufferPointer<Scalar>, to output: OutputBuffer) {
    precondition(values.count == answers.count, "a value for each answer")
    for index in 0..<answers.count {
      output.append(answers[index].key)
      output.append(values[index], isDocument: answers[index].isDocument)
    }
  }
}
