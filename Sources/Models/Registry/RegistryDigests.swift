// Whether a manifest is still the one that was registered, asked whenever a version is named: by the digest that the
// index has of it, and only where that does not say yes by the log, which has the last word.
//
// The index's lines for versions are all of one length and ascend, so one is found by halving, with a read of 86 bytes
// at each step. Neither its checksum nor its mark is looked at: a digest that was damaged is that of no manifest, and
// one that was right stays right, as the number of a version never stands for another.

public import Core

enum RegistryDigests {
  /// Twenty digits, a space, sixty-four digits, the end.
  static let lineBytes = 86

  static func line(_ number: Int, _ digest: String) -> String {
    let digits = String(number)
    return "\(String(repeating: "0", count: 20 - digits.count))\(digits) \(digest)\n"
  }

  /// Bytes of the index's beginning that are read first: its lines for a thousand models.
  private static let beginning = 1 << 16

  /// What the index says a version's manifest has; nil where it does not say, or cannot be read.
  ///
  /// - Complexity: O(models + log versions).
  static func digest(of model: String, _ number: Int, in folder: RegistryFolder) -> String? {
    guard let file = try? folder.files.open(folder.absolute(RegistryFolder.index), .read),
      let size = try? file.size(),
      let digests = directory(file, size)?.entries[model]?.digests, digests.upperBound <= size
    else { return nil }
    var (low, high) = (0, digests.count / lineBytes)
    while low < high {
      let middle = (low + high) / 2
      guard let line = read(file, at: digests.lowerBound + middle * lineBytes, lineBytes),
        let found = Int(String(decoding: line.prefix(20), as: UTF8.self))
      else { return nil }
      if found == number { return String(decoding: line[21..<85], as: UTF8.self) }
      if found < number { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  private static func directory(_ file: any File, _ size: Int) -> RegistryIndexDirectory? {
    for count in [min(size, beginning), size] {
      if let bytes = read(file, at: 0, count),
        let directory = bytes.withBytes({ RegistryIndexDirectory($0) })
      {
        return directory
      }
    }
    return nil
  }

  /// Nil where there are fewer bytes.
  private static func read(_ file: any File, at place: Int, _ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let read = try? bytes.withUnsafeMutableBytes { (buffer) throws(SystemError) in
        try file.read(
          into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]), at: place + done)
      }
      guard let read, read > 0 else { return nil }
      done += read
    }
    return bytes
  }
}

extension RegistryView {
  /// What a reference stands for now.
  ///
  /// - Throws: a failure where the manifest is not what the log says of it.
  /// - Complexity: O(models + log versions) by the index, else O(lines of the log).
  public func manifest(_ uri: ModelURI) throws(Failure) -> VersionManifest {
    let number = try number(uri)
    guard let bytes = try contents(of: RegistryFolder.manifest(uri.model, number)) else {
      // The state says better what there is instead.
      _ = try state().version(uri)
      throw missing(uri.model, number)
    }
    let digest = bytes.withBytes { SHA256.hex(of: $0) }
    if RegistryDigests.digest(of: uri.model, number, in: folder) != digest {
      let version = try state().version(ModelURI(model: uri.model, .version(number)))
      guard digest == version.manifest else { throw changed(uri.model, number) }
    }
    return try VersionManifest(bytes, source: manifestPath(uri.model, number))
  }

  /// The manifest of a version whose line of the log was read.
  public func manifest(_ version: RegistryVersion) throws(Failure) -> VersionManifest {
    let (model, number) = (version.model, version.number)
    guard let bytes = try contents(of: RegistryFolder.manifest(model, number)) else {
      throw missing(model, number)
    }
    guard bytes.withBytes({ SHA256.hex(of: $0) }) == version.manifest else {
      throw changed(model, number)
    }
    return try VersionManifest(bytes, source: manifestPath(model, number))
  }

  private func manifestPath(_ model: String, _ number: Int) -> String {
    folder.absolute(RegistryFolder.manifest(model, number))
  }

  private func missing(_ model: String, _ number: Int) -> Failure {
    .inputOutput(
      "\(manifestPath(model, number)): the manifest is missing",
      hint: "rtinfer registry verify shows all that is wrong")
  }

  private func changed(_ model: String, _ number: Int) -> Failure {
    .inputOutput(
      "\(manifestPath(model, number)): changed since it was registered",
      hint: "rtinfer registry verify shows all that is wrong")
  }
}
