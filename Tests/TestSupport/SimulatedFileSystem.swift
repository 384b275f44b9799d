// A disk in memory that can lose power. What was written is visible at once, as on a real system; only what
// was synced is sure to survive `crash()`. Of the rest the random source decides: a file may come back
// whole or cut anywhere, and names that no folder sync made durable may be as they were before.

public import Core

/// Used by one thread at a time.
public final class SimulatedFileSystem: FileSystem, @unchecked Sendable {
  final class Node {
    var bytes: [UInt8] = []
    var synced: [UInt8] = []
  }

  /// What a process sees now, and what the folders on the disk are sure to hold.
  private var names: [String: Node] = [:]
  private var durableNames: [String: Node] = [:]
  private var operationsLeft: Int?
  /// Operations so far, each of which could be the last one before a power cut.
  public private(set) var operations = 0

  public init() {}

  /// Lets every operation after the next `count` fail.
  public func cutPower(afterOperations count: Int) { operationsLeft = count }

  /// Power comes back.
  public func crash(using random: inout some RandomNumberGenerator) {
    operationsLeft = nil
    if Bool.random(using: &random) { names = durableNames }
    durableNames = names
    for node in names.values {
      if node.bytes.starts(with: node.synced) {
        let kept = Int.random(in: node.synced.count...node.bytes.count, using: &random)
        node.bytes.removeLast(node.bytes.count - kept)
      } else if Bool.random(using: &random) {
        node.bytes = node.synced
      }
      node.synced = node.bytes
    }
  }

  fileprivate func operate() throws(SystemError) {
    operations += 1
    guard let left = operationsLeft else { return }
    guard left > 0 else { throw SystemError(5, "simulated") }
    operationsLeft = left - 1
  }

  public func open(_ path: String, _ mode: OpenMode) throws(SystemError) -> any File {
    try operate()
    if mode == .read {
      guard let node = names[path] else { throw SystemError(2, "open") }
      return SimulatedFile(node, self)
    }
    let node = names[path] ?? Node()
    names[path] = node
    if mode == .replace { node.bytes = [] }
    return SimulatedFile(node, self)
  }

  public func rename(_ from: String, to: String) throws(SystemError) {
    try operate()
    guard let node = names.removeValue(forKey: from) else { throw SystemError(2, "rename") }
    names[to] = node
  }

  public func remove(_ path: String) throws(SystemError) {
    try operate()
    guard names.removeValue(forKey: path) != nil else { throw SystemError(2, "unlink") }
  }

  public func syncFolder(_ path: String) throws(SystemError) {
    try operate()
    durableNames = names
  }

  public func exists(_ path: String) -> Bool { names[path] != nil }
}

private final class SimulatedFile: File {
  private let node: SimulatedFileSystem.Node
  private let disk: SimulatedFileSystem
  private var position = 0

  init(_ node: SimulatedFileSystem.Node, _ disk: SimulatedFileSystem) {
    self.node = node
    self.disk = disk
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    let count = min(buffer.count, node.bytes.count - position)
    buffer.copyBytes(from: node.bytes[position..<position + count])
    position += count
    return count
  }

  func write(_ bytes: Bytes) throws(SystemError) {
    try disk.operate()
    node.bytes.append(contentsOf: bytes.buffer)
  }

  func sync() throws(SystemError) {
    try disk.operate()
    node.synced = node.bytes
  }

  func truncate(to size: Int) throws(SystemError) {
    try disk.operate()
    node.bytes.removeLast(max(0, node.bytes.count - size))
  }

  func size() throws(SystemError) -> Int { node.bytes.count }
}
