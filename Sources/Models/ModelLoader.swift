// Which format a file has is told from what is in it: names lie, and models come through pipes and
// registries without one. A new format is a file in `Formats/` and a line in the table.

public import Core

public enum ModelLoader {
  /// The formats, in the order in which they are asked.
  static let formats: [ModelFormat] = [
    XGBoostJSON.format, XGBoostUBJSON.format, LightGBMText.format,
    CatBoostJSON.format, ONNXFile.format,
  ]

  /// Reads a model from the bytes of its file.
  ///
  /// - Parameters:
  ///   - bytes: borrowed for the length of the call.
  ///   - source: the file's name, for messages.
  /// - Throws: a failure that names the place, when the file is damaged, of no known format, or
  ///   asks for something that is not supported.
  /// - Complexity: O(bytes).
  public static func load(
    _ bytes: Bytes, source: String, options: ModelOptions = .init()
  ) throws(Failure) -> Model {
    guard !bytes.isEmpty else { throw .badData("\(source): the file is empty") }
    guard bytes.count <= Limits.modelBytesMax else {
      throw .badData("\(source): \(bytes.count) bytes, more than \(Limits.modelBytesMax)")
    }
    guard !bytes.starts(with: Bytes("binf")) else {
      throw .badData(
        "\(source): a model in XGBoost's old binary form, which nothing but XGBoost reads",
        hint: "load it in XGBoost before 3.1 and save it as \"model.json\"")
    }
    guard let format = formats.first(where: { $0.recognizes(bytes) }) else {
      let known = formats.map(\.title).joined(separator: ", ")
      throw .badData(
        "\(source): not a model in a known format (\(known))",
        hint: "save it as JSON where the library can: booster.save_model(\"model.json\")")
    }
    return try format.read(bytes, source, options)
  }
}

/// One line of the loader's table.
struct ModelFormat: Sendable {
  /// As `Model.format` gives it.
  let name: String
  /// As people write it.
  let title: String
  /// Whether a file that starts like this is worth reading in this format.
  let recognizes: @Sendable (Bytes) -> Bool
  let read: @Sendable (Bytes, String, ModelOptions) throws(Failure) -> Model
}
