// Several model files that decide as one, as the project file says it in place of `uri`:
//
//     combine: { mean: ["a.json", "b.txt"] }
//     combine: { weighted: { "a.json": 0.7, "b.txt": 0.3 }, on: "margin" }
//     combine: { stack: "meta.json", of: ["a.json", "b.txt"] }
//
// A file may be that of a registered version, "models:/late/3" or "models:/late@production". What an alias stands for is
// asked when the model is loaded, and written in its place when the ensemble itself is registered (`pinned`).

public import Core
public import Models

public struct EnsembleDefinition: Sendable {
  /// A file as it is named: a path, relative to the project file, or a version of the registry.
  public struct File: Sendable {
    public let path: String
    let node: ConfigNode
  }

  public let files: [File]
  /// The stacking model; nil in a mean.
  public let stack: File?
  /// One for each file of a mean.
  private let weights: [Double]
  private let space: Combination.Space
  private let node: ConfigNode

  /// Files of an ensemble: more are a mistake.
  private static let filesMax = 100

  init(_ node: ConfigNode) throws(Failure) {
    _ = try node.members()
    try node.allow(["mean", "weighted", "stack", "of", "on"])
    self.node = node
    let kinds = ["mean", "weighted", "stack"].filter { node[$0] != nil }
    guard kinds.count == 1 else {
      throw node.failure(
        kinds.isEmpty
          ? "says no way to combine" : "'\(kinds[0])' and '\(kinds[1])' are two ways to combine",
        hint:
          "one of mean: [FILE, …], weighted: { FILE: WEIGHT, … }, stack: FILE with of: [FILE, …]")
    }
    if let stack = node["stack"] {
      if let on = node["on"] {
        throw on.failure("a stacking model takes scores; 'on' is for mean and weighted")
      }
      self.stack = File(path: try stack.string(), node: stack)
      files = try EnsembleDefinition.files(try node.required("of").list())
      weights = []
      space = .score
    } else {
      if let of = node["of"] {
        throw of.failure("lists the files below a stacking model, and 'stack' is not there")
      }
      stack = nil
      space = try node["on"]?.choice(Combination.Space.self) ?? .score
      if let mean = node["mean"] {
        files = try EnsembleDefinition.files(try mean.list())
        weights = files.map { _ in 1 }
      } else {
        let weighted = try node.required("weighted")
        files = try weighted.members().map { File(path: $0.key, node: $0.node) }
        weights = try EnsembleDefinition.weights(weighted)
      }
    }
    try check()
  }

  private static func files(_ nodes: [ConfigNode]) throws(Failure) -> [File] {
    var files: [File] = []
    for node in nodes { files.append(File(path: try node.string(), node: node)) }
    return files
  }

  private static func weights(_ node: ConfigNode) throws(Failure) -> [Double] {
    var weights: [Double] = []
    for member in try node.members() {
      let weight = try member.node.double()
      guard weight >= 0 else {
        throw member.node.failure("\(weight) is no weight, which is 0 or more")
      }
      weights.append(weight)
    }
    guard weights.isEmpty || weights.contains(where: { $0 > 0 }) else {
      throw node.failure("all weights are 0, so that no file counts")
    }
    guard weights.reduce(0, +).isFinite else {
      throw node.failure("the weights' sum is infinite")
    }
    return weights
  }

  private func check() throws(Failure) {
    let least = stack == nil ? 2 : 1
    guard least...EnsembleDefinition.filesMax ~= files.count else {
      throw node.failure(
        "the number of files is \(files.count), where \(least) to \(EnsembleDefinition.filesMax) can be combined",
        hint: files.count == 1 ? "uri: \"\(files[0].path)\" is that file alone" : nil)
    }
    var seen: Set<String> = []
    for file in files + [stack].compactMap({ $0 }) {
      guard seen.insert(file.path).inserted else {
        throw file.node.failure("'\(file.path)' is there twice")
      }
    }
  }

  /// The registered versions among its files, as they are named.
  public var registered: [String] {
    (files + [stack].compactMap { $0 }).map(\.path).filter(ModelURI.isURI)
  }

  /// What stands for each of these.
  ///
  /// - Parameter exact: gives the name that stands for one version for good.
  /// - Throws: its failure, at the place in the project file.
  public func pins(
    _ exact: (String) throws(Failure) -> String
  ) throws(Failure) -> [String: String] {
    var pins: [String: String] = [:]
    for file in files + [stack].compactMap({ $0 }) where ModelURI.isURI(file.path) {
      do throws(Failure) { pins[file.path] = try exact(file.path) } catch {
        throw EnsembleDefinition.placed(error, file)
      }
    }
    return pins
  }

  private static func placed(_ failure: Failure, _ file: File) -> Failure {
    let place = file.node.failure(failure.message)
    return Failure(failure.status, place.message, hint: failure.hint)
  }

  // MARK: Models

  /// Loads the files and makes them one model.
  ///
  /// - Parameters:
  ///   - declaredInputs: the names of the project's inputs.
  ///   - load: gives a file's model.
  /// - Throws: a failure at the file's place in the project file.
  public func model(
    declaredInputs: [String], load: (String) throws(Failure) -> Model
  ) throws(Failure) -> Model {
    var members: [EnsembleMember] = []
    for file in files { members.append(try member(file, load)) }
    var combination = Combination.mean(weights: weights, on: space)
    if let stack { combination = .stack(try member(stack, load)) }
    do throws(EnsembleMismatch) {
      return try Model(
        combining: members, by: combination, declaredInputs: declaredInputs)
    } catch {
      let file =
        switch error.place {
        case .member(let index): files[index]
        case .stack: stack!
        }
      throw file.node.failure("'\(file.path)': \(error.message)", hint: error.hint)
    }
  }

  private func member(
    _ file: File, _ load: (String) throws(Failure) -> Model
  ) throws(Failure) -> EnsembleMember {
    do throws(Failure) {
      return EnsembleMember(name: file.path, model: try load(file.path))
    } catch {
      throw EnsembleDefinition.placed(error, file)
    }
  }
}
