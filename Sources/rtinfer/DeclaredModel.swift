// A model from its file, together with what the project declares of it and of the requests it answers.

import Core
import Decisions
import Events
import Features
import Models

struct DeclaredModel {
  let definition: ModelDefinition
  let model: Model
  let schema: RequestSchema

  /// - Parameter project: nil where the definition is no more than a file's name.
  init(
    _ definition: ModelDefinition, _ project: Project?, _ files: any FileSystem
  ) throws(Failure) {
    let path = project?.resolve(definition.uri) ?? definition.uri
    self.definition = definition
    model = try DeclaredModel.load(path, files)
    schema =
      if let project { try DeclaredModel.schema(definition, project) } else { RequestSchema() }
  }

  /// A model from its file alone.
  static func load(
    _ path: String, _ files: any FileSystem, options: ModelOptions = ModelOptions()
  ) throws(Failure) -> Model {
    let bytes = try files.contents(of: path, bytesMax: Limits.modelBytesMax)
    return try bytes.withBytes { (bytes) throws(Failure) in
      try ModelLoader.load(bytes, source: path, options: options)
    }
  }

  private static func schema(
    _ definition: ModelDefinition, _ project: Project
  ) throws(Failure) -> RequestSchema {
    let types = try project.eventTypes()
    guard !types.isEmpty else { return RequestSchema() }
    let schema = EventSchema(types: types)
    let features = try project.features(schema).names
    guard let name = definition.decides else { return RequestSchema(features: features) }
    guard let index = schema.index(of: name) else {
      throw .usage(
        "models.\(definition.name).decides: no event type '\(name)' is declared",
        hint: Spelling.nearest(name, among: types.map(\.name)).map { "did you mean '\($0)'?" })
    }
    let type = types[index]
    return RequestSchema(
      fields: type.fields, timeMember: type.timeMember, timeUnit: type.timeUnit,
      idMember: type.idMember, features: features, refusesUnknown: type.unknown == .reject)
  }
}
