// serve --follow: what an alias of the registry stands for is looked at again and again, and a model whose alias has moved is
// read anew, it alone. An alias is a file of a line, so a look is the reading of one small file for each model. A model that
// cannot be read goes on as it was, and is tried again at the next look: a file may come after its alias.

import Core
import Models

struct AliasFollower {
  static let flag = Flag(
    "follow", "Read a model again when its alias in the registry is promoted or rolled back")
  static let pause = TimeSpan.seconds(1)

  private struct Followed {
    let name: String
    let uri: ModelURI
    /// What it stood for when the model was read last; nil where that could not be told.
    var number: Int?
    /// Why it could not be read at the last look.
    var trouble: String?
  }

  private let folder: RegistryFolder
  private var followed: [Followed] = []

  /// Nil where nothing is to be followed. To be made before the models are read, so that no move is missed.
  ///
  /// - Parameter models: those of the server that an alias names.
  init?(
    _ invocation: Invocation, _ models: [(name: String, uri: ModelURI)]
  ) throws(Failure) {
    guard invocation.options.isOn(AliasFollower.flag) else { return nil }
    guard !models.isEmpty else {
      throw .usage(
        "--follow: no model is named by an alias",
        hint: "as in --model fraud=models:/fraud@production")
    }
    folder = try RegistryFlags.folder(invocation, try Project.find(invocation))
    let view = try? RegistryView(folder)
    followed = models.map { name, uri in
      Followed(name: name, uri: uri, number: (try? view?.number(uri)) ?? nil)
    }
  }

  /// Has each model read whose alias stands for another version than when it was read last. One that cannot be told just now
  /// has not moved: a registry on a shared disk may be out of reach for a while.
  ///
  /// - Parameters:
  ///   - read: reads the model of this name and puts it in the place of the old one.
  ///   - onTrouble: told once of each reason why one could not be read.
  mutating func look(
    read: (_ name: String) throws(Failure) -> Void, onTrouble: (Failure) -> Void
  ) {
    guard let view = try? RegistryView(folder) else { return }
    for index in followed.indices {
      guard let number = try? view.number(followed[index].uri), number != followed[index].number
      else { continue }
      do throws(Failure) {
        try read(followed[index].name)
        followed[index].number = number
        followed[index].trouble = nil
      } catch {
        if followed[index].trouble != error.message { onTrouble(error) }
        followed[index].trouble = error.message
      }
    }
  }
}
