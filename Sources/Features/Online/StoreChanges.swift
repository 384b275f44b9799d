// What an online store holds of a project's views, by name and definition, before anybody writes to it.

public import Core

/// What becomes of a table when the project as it is writes to the store.
public enum TableChange: String, Sendable {
  /// The store has none of that name.
  case added
  /// The store has it by another definition: it is made anew.
  case changed
  /// It is as the project has it.
  case same
  /// The project has none of that name.
  case dropped
}

extension OnlineFolder {
  /// Every view of the project, with a join's own table, and every further table of the folder.
  ///
  /// - Throws: where a file that is there is no store.
  public func changes(
    _ definitions: FeatureDefinitions
  ) throws(Failure) -> [(table: String, change: TableChange)] {
    var result: [(table: String, change: TableChange)] = []
    var tables: Set<String> = []
    for view in definitions.views {
      var change = try change(view.name, view.digest)
      tables.insert(view.name)
      if view.join != nil {
        let name = JoinState.tableName(view)
        // The rows alone are not enough to go on with.
        if change == .same { change = try self.change(name, view.digest) }
        tables.insert(name)
      }
      result.append((view.name, change))
    }
    guard files.exists(path) else { return result }
    let suffix = ".online"
    do throws(SystemError) {
      for file in try files.names(in: path).sorted() where file.hasSuffix(suffix) {
        let name = String(file.dropLast(suffix.count))
        if !tables.contains(name) { result.append((name, .dropped)) }
      }
    } catch {
      throw .inputOutput("\(path): \(error.call): \(error.reason)")
    }
    return result
  }

  private func change(_ name: String, _ digest: [UInt8]) throws(Failure) -> TableChange {
    let path = table(name)
    guard files.exists(path) else { return .added }
    let file: MappedFile
    do throws(SystemError) {
      file = try MappedFile(path, .read)
    } catch {
      throw .inputOutput("\(path): \(error.call): \(error.reason)")
    }
    let memory = TableMemory(base: file.base, count: file.count)
    return try TableHeader.digest(memory, path: path) == digest ? .same : .changed
  }
}
