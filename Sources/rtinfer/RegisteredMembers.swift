// Registered versions among the files of an ensemble that the project declares:
//
//     combine: { mean: ["a.json", "models:/late/3", "models:/late@production"] }
//
// Of such a version the model file is taken, and nothing of its rules; but the views that it reads must still be
// defined as they were. What an alias stands for is asked once, and from then on the exact version is what is named:
// in the ensemble's recipe, its fingerprint and the manifest, if the ensemble is registered. Its file is then one of the
// new version's own, by digest, so it stays for as long as that version does, whatever becomes of the other.

import Core
import Decisions
import Models

struct RegisteredMembers {
  /// The model with exact versions in place of aliases.
  let definition: ModelDefinition
  /// By exact name, where the file lies and its digest.
  private var members: [String: (path: String, digest: String)] = [:]

  /// - Throws: a failure at the member's place in the project file where there is no such version, or it cannot be a
  ///   member.
  init(
    _ declared: ModelDefinition, _ project: Project?, _ invocation: Invocation
  ) throws(Failure) {
    guard case .ensemble(let ensemble) = declared.source, !ensemble.registered.isEmpty else {
      definition = declared
      return
    }
    var members: [String: (path: String, digest: String)] = [:]
    let pins = try ensemble.pins { (named) throws(Failure) in
      let view = try RegistryView(try RegistryFlags.folder(invocation, project))
      let manifest = try view.manifest(try ModelURI(named))
      let exact = manifest.exactName
      guard manifest.format != Model.ensembleFormat else {
        throw .usage(
          "\(exact) is an ensemble itself, and one is not made of others",
          hint: "name the files or versions that it combines")
      }
      if let project { try RegisteredDecision.check(manifest, against: project) }
      members[exact] = (view.path(of: manifest.file), manifest.file.digest)
      return exact
    }
    self.members = members
    definition = try declared.pinned(pins)
  }

  /// Where a file lies that the ensemble names.
  func path(_ named: String, _ project: Project?) -> String {
    members[named]?.path ?? project?.resolve(named) ?? named
  }

  /// - Throws: a failure where a registered file is not what it was.
  func check(_ named: String, _ model: Model) throws(Failure) {
    guard let (path, digest) = members[named], model.fingerprint != digest else { return }
    throw RegisteredMembers.changed(path, as: named)
  }

  static func changed(_ path: String, as name: String) -> Failure {
    .inputOutput(
      "\(path): changed since it was registered as \(name)",
      hint: "rtinfer registry verify shows all that is wrong")
  }
}

extension VersionManifest {
  /// `models:/late/3`, which is that version for good.
  var exactName: String { ModelURI(model: model, .version(version)).description }
}
