// What is added to the registry: a model file, a folder with one model file in it, or a version that is registered
// already. A folder that MLflow wrote says in `MLmodel` which file that is.

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
  /// The version that it is of.
  private(set) var registered: RegisteredDecision?

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
      name = try MLmodelFile.modelFile(
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

  /// A registered version's file or files, for a version of another model.
  init(
    _ uri: ModelURI, in view: RegistryView, _ files: any FileSystem
  ) throws(Failure) {
    let manifest = try view.manifest(uri)
    let exact = manifest.exactName
    let registered = try RegisteredDecision(
      manifest, in: view, ModelDefinition(name: exact, uri: exact), nil)
    model = try DeclaredModel.load(registered, files, ModelOptions())
    name = manifest.file.name
    contents = try files.contents(of: registered.path, bytesMax: Limits.modelBytesMax)
    for file in manifest.files {
      let bytes = try files.contents(of: view.path(of: file), bytesMax: Limits.modelBytesMax)
      self.files.append((file.name, bytes))
    }
    self.registered = registered
  }

  /// The files of an ensemble, with what it is made of as the model file.
  init(
    _ ensemble: EnsembleDefinition, _ members: RegisteredMembers, _ project: Project,
    _ files: any FileSystem
  ) throws(Failure) {
    var read: [(name: String, bytes: [UInt8])] = []
    model = try ensemble.model(declaredInputs: members.definition.declaredInputs) {
      (named) throws(Failure) in
      let path = members.path(named, project)
      let bytes = try files.contents(of: path, bytesMax: Limits.modelBytesMax)
      read.append((named, bytes))
      let model = try ModelArtifact.load(bytes, path)
      try members.check(named, model)
      return model
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

  private static func entries(
    _ folder: String, _ files: any FileSystem
  ) throws(Failure) -> [String] {
    do throws(SystemError) { return try files.names(in: folder).sorted() } catch {
      throw .inputOutput("\(folder): \(error.call): \(error.reason)")
    }
  }

  /// The files in a folder and in those below, sorted; nil where the path is no folder.
  private static func listing(
    _ path: String, _ files: any FileSystem
  ) throws(Failure) -> [String]? {
    guard (try? files.names(in: path)) != nil else { return nil }
    var names: [String] = []
    var folders = [""]
    while let folder = folders.popLast() {
      for entry in try ModelArtifact.entries("\(path)/\(folder)", files) {
        let name = "\(folder)\(entry)"
        // What is no UTF-8 was made readable, and is no longer what the file is called.
        guard !entry.contains("\u{FFFD}") || files.exists("\(path)/\(name)") else {
          throw .badData(
            "\(path)/\(name): the file's name is not UTF-8, so it cannot be kept by its name",
            hint: "rename it, or name the model file itself")
        }
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
}
