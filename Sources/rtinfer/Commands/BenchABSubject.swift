// Whose decisions bench ab is about, and what the project declares of them: the events that ask, what turns out and what a
// decision is worth.

import Core
import Decisions
import Events
import Features
import Replay

struct BenchABSubject {
  let definition: ModelDefinition
  let schema: EventSchema
  /// The event type that the model decides.
  let asking: Int
  /// The declared outcome, whether or not it can be used.
  let outcome: Outcome?
  let values: DecisionValues?

  init(
    _ definition: ModelDefinition, _ project: Project, _ invocation: Invocation
  ) throws(Failure) {
    self.definition = definition
    schema = try EventFlags.schema(invocation, project)
    guard let decides = definition.decides, let asking = schema.index(of: decides) else {
      throw .usage(
        "models.\(definition.name) does not say which declared type of event it decides",
        hint: "decides: \"scheduled\", an event type of the project's events")
    }
    self.asking = asking
    outcome = try project.outcomes(of: asking, schema).first { $0.name == definition.name }
    values = try project.values(of: definition, asking: asking, outcome: outcome, schema)
  }
}
