// Tar as POSIX has it ("ustar", POSIX.1-1988): files one behind another, each with a header of 512 bytes, their
// bytes filled up with zeros to the next 512, and two blocks of zeros at the end. What a registry exports is plain
// files with the same dates and owners always, so that the same versions make the same archive, and any tar lists it.
//
//     name 100 · mode 8 · owner 8 · group 8 · size 12 · time 12 · checksum 8 · kind 1 · link 100 · "ustar\0" ·
//     "00" · owner's name 32 · group's name 32 · device 16 · name's folders 155 · 12 left over
//
// Numbers are octal digits. Of archives from elsewhere nothing is taken but plain files of sound size: no link, no
// folder, no device, no extension.

import Core

struct TarArchive {
  struct File {
    let name: String
    let bytes: Range<Int>
  }

  private static let block = 512
  private static let zeros = [UInt8](repeating: 0, count: block)

  // MARK: Writing

  /// - Precondition: the name fits: 155 bytes of folders and 100 behind the last of them.
  static func append(_ bytes: [UInt8], name: String, to output: OutputBuffer) throws(Failure) {
    try header(name, size: bytes.count).withBytes { (header) throws(Failure) in
      try output.flush(andPass: header)
    }
    try bytes.withBytes { (bytes) throws(Failure) in try output.flush(andPass: bytes) }
    zeros[..<padding(bytes.count)].withUnsafeBufferPointer { output.append(Bytes($0)) }
  }

  static func appendEnd(to output: OutputBuffer) throws(Failure) {
    for _ in 0..<2 { zeros.withBytes { output.append($0) } }
    try output.flush()
  }

  private static func padding(_ size: Int) -> Int { (block - size % block) % block }

  private static func header(_ name: String, size: Int) -> [UInt8] {
    let path = Array(name.utf8)
    // The shortest folder part that leaves a name of at most 100 bytes.
    var split = 0
    if path.count > 100 {
      split =
        path.indices.first { path[$0] == UInt8(ascii: "/") && path.count - $0 - 1 <= 100 } ?? 0
      precondition((1...155).contains(split), "a registry's names fit: \(name)")
    }
    var header = zeros
    func put(_ bytes: some Collection<UInt8>, at place: Int) {
      header.replaceSubrange(place..<place + bytes.count, with: bytes)
    }
    func put(octal value: Int, digits: Int, at place: Int) {
      let text = String(value, radix: 8)
      put(Array((String(repeating: "0", count: digits - text.count) + text).utf8), at: place)
    }
    put(split > 0 ? path[(split + 1)...] : path[...], at: 0)
    put(octal: 0o644, digits: 7, at: 100)
    put(octal: 0, digits: 7, at: 108)
    put(octal: 0, digits: 7, at: 116)
    put(octal: size, digits: 11, at: 124)
    put(octal: 0, digits: 11, at: 136)
    header[156] = UInt8(ascii: "0")
    put(Array("ustar\0".utf8) + Array("00".utf8), at: 257)
    put(path[..<split], at: 345)
    put(octal: checksum(header[...]), digits: 6, at: 148)
    (header[154], header[155]) = (0, UInt8(ascii: " "))
    return header
  }

  /// The sum of a header's bytes, with spaces where the sum itself stands.
  private static func checksum(_ header: ArraySlice<UInt8>) -> Int {
    let start = header.startIndex
    return header.reduce(0) { $0 + Int($1) }
      - header[(start + 148)..<(start + 156)].reduce(0) { $0 + Int($1) } + 8 * 32
  }

  // MARK: Reading

  let files: [File]

  /// - Parameter source: for messages.
  /// - Throws: a data failure that says what is not as it should be, and where.
  init(_ bytes: [UInt8], source: String) throws(Failure) {
    var files: [File] = []
    var names: Set<String> = []
    var position = 0
    while true {
      guard bytes.count - position >= TarArchive.block else {
        throw .badData("\(source): cut off: it ends at byte \(bytes.count) without a tar's end")
      }
      let header = bytes[position..<position + TarArchive.block]
      if header.allSatisfy({ $0 == 0 }) { break }
      let file = try TarArchive.file(
        header, at: position, available: bytes.count - position - TarArchive.block, source)
      guard names.insert(file.name).inserted else {
        throw .badData("\(source): byte \(position): '\(file.name)' comes a second time")
      }
      files.append(file)
      position = file.bytes.upperBound + TarArchive.padding(file.bytes.count)
      guard bytes[file.bytes.upperBound..<position].allSatisfy({ $0 == 0 }) else {
        throw .badData(
          "\(source): byte \(file.bytes.upperBound): not zeros behind '\(file.name)', as tar has")
      }
    }
    guard bytes.count - position >= 2 * TarArchive.block,
      bytes[position...].allSatisfy({ $0 == 0 })
    else {
      throw .badData("\(source): byte \(position): not two blocks of zeros at the end, as tar has")
    }
    self.files = files
  }

  private static func file(
    _ header: ArraySlice<UInt8>, at position: Int, available: Int, _ source: String
  ) throws(Failure) -> File {
    func field(_ place: Int, _ count: Int) -> ArraySlice<UInt8> {
      header[(position + place)..<(position + place + count)]
    }
    func text(_ place: Int, _ count: Int) -> String {
      String(decoding: field(place, count).prefix { $0 != 0 }, as: UTF8.self)
    }
    func octal(_ place: Int, _ count: Int) -> Int? {
      let digits = field(place, count).prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
      return Int(String(decoding: digits, as: UTF8.self), radix: 8)
    }
    let place = "\(source): byte \(position)"
    guard text(257, 5) == "ustar", octal(148, 8) == checksum(header) else {
      throw .badData("\(place): not a tar's header, or a damaged one")
    }
    let folders = text(345, 155)
    let name = folders.isEmpty ? text(0, 100) : "\(folders)/\(text(0, 100))"
    guard let kind = field(156, 1).first, kind == UInt8(ascii: "0") || kind == 0 else {
      throw .badData(
        "\(place): '\(name)' is no plain file but of tar's kind '\(text(156, 1))':"
          + " links, folders and devices are not taken")
    }
    guard let size = octal(124, 12), size >= 0 else {
      throw .badData("\(place): '\(name)' has no size")
    }
    guard size <= available, size + padding(size) <= available else {
      throw .badData(
        "\(place): '\(name)' is said to have \(size) bytes, but only \(available) follow: cut off")
    }
    let start = position + block
    return File(name: name, bytes: start..<start + size)
  }
}
