// serve --follow: what an alias of the registry stands for is looked at again and again, and the models are read anew when
// it has moved. An alias is a file of a line, so a look is the reading of one small file for each model.

import Core
import Models

struct AliasFollower {
  static let flag = Flag(
    "follow", "Read a model again when its alias in the registry is promoted or rolled back")
  static let pause = TimeSpan.seconds(1)

  private let folder: RegistryFolder
  private let uris: [ModelURI]
  /// What each stood for when it was looked at last. Nil where that could not be told.
  private var numbers: [Int?]

  /// Nil where nothing is to be followed.
  ///
  /// - Parameter uris: those models of the server that an alias names.
  init?(_ invocation: Invocation, _ uris: [ModelURI]) throws(Failure) {
    guard invocation.options.isOn(AliasFollower.flag) else { return nil }
    guard !uris.isEmpty else {
      throw .usage(
        "--follow: no model is named by an alias",
        hint: "as in --model fraud=models:/fraud@production")
    }
    folder = try RegistryFlags.folder(invocation, try Project.find(invocation))
    self.uris = uris
    numbers = AliasFollower.numbers(uris, in: folder)
  }

  private static func numbers(_ uris: [ModelURI], in folder: RegistryFolder) -> [Int?] {
    let view = try? RegistryView(folder)
    return uris.map { try? view?.number($0) }
  }

  /// Whether any of them stands for another version than at the last look. One that cannot be told just now has not moved:
  /// a registry on a shared disk may be out of reach for a while.
  mutating func haveMoved() -> Bool {
    let found = AliasFollower.numbers(uris, in: folder)
    var haveMoved = false
    for (index, number) in found.enumerated() where number != nil && number != numbers[index] {
      numbers[index] = number
      haveMoved = true
    }
    return haveMoved
  }
}
