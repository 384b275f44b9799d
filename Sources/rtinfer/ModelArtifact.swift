// What is added to the registry: a model file, or a folder with one model file in it. A folder that MLflow wrote
// says in `MLmodel` which file that is:
//
//     flavors:
//       xgboost:
//         data: model.ubj
//         model_format: ubj
//
// Of YAML that is all there is to understand: the member `data` below the flavour's name.

import Core
import Decisions
import Models

struct ModelArtifact {
  /// The model file's name, relative to the folder.
  let name: String
  let contents: [UInt8]
  let model: Model
  /// The folder's other files.
  private(set) var files: [(name: String, bytes: [UInt8])] = []

  private static let flavours = ["xgboost", "lightgbm", "catboost", "onnx"]
  /// Files of a folder: MLflow writes about ten.
  private static let filesMax = 1_000

  init(_ path: String, _ files: any FileSystem) throws(Failure) {
    guard let names = try ModelArtifact.listing(path, files) else {
      name = ModelArtifact.lastName(path)
      contents = try files.contents(of: path, bytesMax: Limits.modelBytesMax)
      model = try ModelArtifact.load(contents, path)
      return
    }
    let others: [String]
    if names.contains("MLmodel") {
      let text = try files.contents(of: "\(path)/MLmodel", bytesMax: Limits.projectBytesMax)
      name = try ModelArtifact.modelFile(
        of: String(decoding: text, as: UTF8.self), source: "\(path)/MLmodel")
      guard names.contains(name) else {
        throw .badData(
          "\(path)/MLmodel: names the model file '\(name)', which is not in the folder")
      }
      others = names.filter { [name] in $0 != name }
      contents = try files.contents(of: "\(path)/\(name)", bytesMax: Limits.modelBytesMax)
      model = try ModelArtifact.load(contents, "\(path)/\(name)")
    } else {
      var found: (name: String, contents: [UInt8], model: Model)?
      for candidate in names {
        let bytes = try files.contents(of: "\(path)/\(candidate)", bytesMax: Limits.modelBytesMax)
        guard let model = try? ModelArtifact.load(bytes, candidate) else { continue }
        if let found {
          throw .badData(
            "\(path): '\(found.name)' and '\(candidate)' are both models", hint: "name one of them")
        }
        found = (candidate, bytes, model)
      }
      guard let found else {
        throw .badData(
          "\(path): no model file is in the folder",
          hint: "name the file itself to see why it is none")
      }
      (name, contents, model) = found
      others = names.filter { $0 != found.name }
    }
    for other in others {
      let bytes = try files.contents(of: "\(path)/\(other)", bytesMax: Limits.modelBytesMax)
      self.files.append((other, bytes))
    }
  }

  /// The files of an ensemble, with what it is made of as the model file.
  init(
    _ ensemble: EnsembleDefinition, of definition: ModelDefinition, _ project: Project,
    _ files: any FileSystem
  ) throws(Failure) {
    var read: [(name: String, bytes: [UInt8])] = []
    model = try ensemble.model(declaredInputs: definition.declaredInputs) {
      (named) throws(Failure) in
      let path = project.resolve(named)
      let bytes = try files.contents(of: path, bytesMax: Limits.modelBytesMax)
      read.append((named, bytes))
      return try ModelArtifact.load(bytes, path)
    }
    name = "ensemble.json"
    contents = model.recipe!
    self.files = read
  }

  static func lastName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private static func load(_ bytes: [UInt8], _ path: String) throws(Failure) -> Model {
    try bytes.withBytes { (bytes) throws(Failure) in try ModelLoader.load(bytes, source: path) }
  }

  /// The files in a folder and in those below, sorted; nil where the path is no folder.
  private static func listing(
    _ path: String, _ files: any FileSystem
  ) throws(Failure) -> [String]? {
    guard (try? files.names(in: path)) != nil else { return nil }
    var names: [String] = []
    var folders = [""]
    while let folder = folders.popLast() {
      for entry in ((try? files.names(in: "\(path)/\(folder)")) ?? []).sorted() {
        let name = "\(folder)\(entry)"
        // A pipe would be waited for, and a link to a folder may lead back to where it is.
        if files.isFile("\(path)/\(name)") {
          names.append(name)
        } else if !files.standsForAnother("\(path)/\(name)") {
          folders.append("\(name)/")
        }
      }
      guard names.count <= filesMax else {
        throw .badData("\(path): more than \(filesMax) files", hint: "name the model file itself")
      }
    }
    return names.sorted()
  }

  /// The file that an MLmodel text names.
  static func modelFile(of text: String, source: String) throws(Failure) -> String {
    var flavour: (name: String, indent: Int)?
    var seen: [String] = []
    var isInFlavours = false
    for line in text.split(whereSeparator: \.isNewline) {
      let indent = line.prefix { $0 == " " }.count
      let parts = line.dropFirst(indent).split(separator: ":", maxSplits: 1)
      guard let key = parts.first.map(String.init) else { continue }
      let value = parts.count > 1 ? parts[1].filter { !" '\"".contains($0) } : ""
      if indent == 0 { isInFlavours = key == "flavors" }
      guard isInFlavours, indent > 0 else { continue }
      if let inside = flavour, indent > inside.indent {
        if key == "data", !value.isEmpty { return value }
        continue
      }
      flavour = nil
      if value.isEmpty, indent <= 2 { seen.append(key) }
      if flavours.contains(key) { flavour = (key, indent) }
    }
    throw .badData(
      "\(source): no model of a flavour that is read here (\(flavours.joined(separator: ", "))); it has"
        + " \(seen.isEmpty ? "none" : seen.joined(separator: ", "))")
  }
}
