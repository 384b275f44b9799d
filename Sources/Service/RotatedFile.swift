// The file behind a log. It is begun anew when it has grown to its bound, the old ones being kept under numbers, and
// opened anew when somebody asks: whoever moves it away (logrotate) then sends SIGHUP.
//
//     access.ndjson ─▶ access.ndjson.1 ─▶ access.ndjson.2 ─▶ … removed

public import Core

/// Where whole lines go.
public protocol LineDestination: AnyObject {
  /// - Parameter lines: whole ones, with their ends.
  func write(_ lines: Bytes) throws(SystemError)
  /// Goes on in what now stands under its name.
  func reopen() throws(SystemError)
}

public final class RotatedFile: LineDestination {
  private let path: String
  private let files: any FileSystem
  private let bytesMax: Int?
  private let keptMax: Int
  private var file: any File
  private var bytes: Int
  /// Whether the last write has failed, perhaps in the middle of a line.
  private var isTorn = false

  /// - Parameters:
  ///   - bytesMax: after which it is begun anew; a longer line has a file of its own. Nil: never.
  ///   - keptMax: how many old ones are kept.
  public init(
    _ path: String, files: any FileSystem, bytesMax: Int?, keptMax: Int
  ) throws(SystemError) {
    self.path = path
    self.files = files
    self.bytesMax = bytesMax
    self.keptMax = keptMax
    file = try files.open(path, .append)
    bytes = try file.size()
  }

  public func reopen() throws(SystemError) {
    file = try files.open(path, .append)
    bytes = try file.size()
  }

  public func write(_ lines: Bytes) throws(SystemError) {
    if isTorn, try file.size() > 0 {
      try [UInt8(ascii: "\n")].withBytes { (end) throws(SystemError) in try file.write(end) }
      bytes += 1
    }
    isTorn = true
    try writeWhole(lines)
    isTorn = false
  }

  private func writeWhole(_ lines: Bytes) throws(SystemError) {
    guard let bytesMax else { return try file.write(lines) }
    var rest = lines
    while !rest.isEmpty {
      let count = rest.wholeLines(within: bytesMax - bytes)
      if count == 0, bytes > 0 {
        try rotate()
        continue
      }
      let part = rest[0..<(count > 0 ? count : rest.wholeLines(within: 0, atLeastOne: true))]
      try file.write(part)
      bytes += part.count
      rest = rest[part.count..<rest.count]
    }
  }

  /// A crash in between leaves a gap in the numbers, and no line is lost.
  private func rotate() throws(SystemError) {
    let last = "\(path).\(keptMax)"
    if files.exists(last) { try files.remove(last) }
    for number in stride(from: keptMax - 1, to: 0, by: -1) where files.exists("\(path).\(number)") {
      try files.rename("\(path).\(number)", to: "\(path).\(number + 1)")
    }
    try files.rename(path, to: "\(path).1")
    try reopen()
  }
}

extension Bytes {
  /// Bytes of the whole lines at the beginning that fit.
  fileprivate func wholeLines(within room: Int, atLeastOne: Bool = false) -> Int {
    if atLeastOne {
      return (buffer.firstIndex(of: UInt8(ascii: "\n")) ?? count - 1) + 1
    }
    guard count > room else { return count }
    var end = max(0, room)
    while end > 0, self[end - 1] != UInt8(ascii: "\n") { end -= 1 }
    return end
  }
}
