// A disk in memory that can lose power, fail and fill up. What was written is visible at once, as on a real
// system; only what was synced is sure to survive `crash()`. Of the rest the random source decides, as the
// disks of the field do: each file comes back
//
//     torn        with the first of its un-synced writes, the last of those cut anywhere
//     reordered   with any of them and without the others, zeros where nothing was kept
//     garbled     torn, and nonsense where the cut-off part should stand
//
// and names that no folder sync made durable may be as they were before. A sync that fails loses its writes
// for good: they stay visible, but no later sync brings them to the disk (as Linux does; "fsyncgate").

public import Core

/// Used by one thread at a time.
public final class SimulatedFileSystem: FileSystem, @unchecked Sendable {
  /// The names that processes see now, and those that the folders on the disk are sure to hold.
  private var names: [String: SimulatedNode] = [:]
  private var durableNames: [String: SimulatedNode] = [:]
  private var folders: Set<String> = []
  private var locks: Set<String> = []
  private var operationsLeft: Int?
  private var fault: (left: Int, number: Int32)?
  /// Operations so far, each of which could be the last one before a power cut.
  public private(set) var operations = 0
  /// Syncs of files so far.
  public fileprivate(set) var syncs = 0
  /// Bytes that all files together may have; a write beyond is cut short, as a full disk does. Nil: no bound.
  public var room: Int?

  public init() {}

  /// Lets every operation after the next `count` fail.
  public func cutPower(afterOperations count: Int) { operationsLeft = count }

  /// Lets the operation behind the next `count` fail with this error number, and only that one. A write that
  /// fails leaves half of its bytes.
  public func failOnce(afterOperations count: Int, with number: Int32) { fault = (count, number) }

  /// Power comes back. Files that were open before must not be used any more.
  public func crash(using random: inout some RandomNumberGenerator) {
    operationsLeft = nil
    fault = nil
    locks = []
    if Bool.random(using: &random) { names = durableNames }
    durableNames = names
    for path in names.keys.sorted() { names[path]!.crash(using: &random) }
  }

  /// The process ends and the system goes on: everything written stays, locks are given back.
  public func killProcess() {
    operationsLeft = nil
    fault = nil
    locks = []
  }

  /// What a file holds now, for tests that look at it or change it behind the program's back.
  public subscript(path: String) -> [UInt8]? {
    get { names[path]?.bytes }
    set {
      guard let newValue else {
        names[path] = nil
        durableNames[path] = nil
        return
      }
      let node = SimulatedNode()
      node.apply(.write(at: 0, newValue))
      node.sync()
      names[path] = node
      durableNames[path] = node
    }
  }

  public var paths: [String] { names.keys.sorted() }

  fileprivate var used: Int { names.values.reduce(0) { $0 + $1.bytes.count } }

  /// Throws if the operation is to fail.
  fileprivate func operate() throws(SystemError) {
    operations += 1
    if let (left, number) = fault {
      fault = left > 0 ? (left - 1, number) : nil
      guard left > 0 else { throw SystemError(number, "simulated") }
    }
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
    let node = names[path] ?? SimulatedNode()
    names[path] = node
    if mode == .replace { node.apply(.truncate(0)) }
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

  public func exists(_ path: String) -> Bool { names[path] != nil || folders.contains(path) }

  public func names(in folder: String) throws(SystemError) -> [String] {
    guard folders.contains(folder) else { throw SystemError(2, "opendir") }
    let prefix = "\(folder)/"
    // Files and folders, each by the name that it has here.
    let below = (Array(names.keys) + Array(folders)).filter { $0.hasPrefix(prefix) }
    return Array(Set(below.map { String($0.dropFirst(prefix.count).prefix { $0 != "/" }) }))
  }

  /// Folders are there at once and for good: what is tested are the files in them.
  public func standsForAnother(_ path: String) -> Bool { false }
  public func isFile(_ path: String) -> Bool { exists(path) && (try? names(in: path)) == nil }

  public func makeFolder(_ path: String) throws(SystemError) {
    var path = Substring(path)
    while !path.isEmpty {
      folders.insert(String(path))
      path = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
    }
  }

  public func lock(_ path: String) throws(SystemError) -> LockAnswer {
    guard locks.insert(path).inserted else { return .held(by: 4711) }
    return .taken(SimulatedLock(path, self))
  }

  fileprivate func release(_ path: String) { locks.remove(path) }
}

private final class SimulatedLock: FileLock {
  private let path: String
  private let disk: SimulatedFileSystem

  init(_ path: String, _ disk: SimulatedFileSystem) {
    self.path = path
    self.disk = disk
  }

  deinit { disk.release(path) }
}

/// A file's content: what is seen, what is on the disk, and the changes in between.
private final class SimulatedNode {
  enum Change {
    case write(at: Int, [UInt8])
    case truncate(Int)
  }

  private(set) var bytes: [UInt8] = []
  private var synced: [UInt8] = []
  /// In order; what a sync would bring to the disk.
  private var pending: [Change] = []
  /// What a failed sync gave up.
  private var lost: [Change] = []

  func apply(_ change: Change) {
    SimulatedNode.apply(change, to: &bytes)
    pending.append(change)
  }

  func sync() {
    for change in pending { SimulatedNode.apply(change, to: &synced) }
    pending = []
  }

  func failSync() {
    lost += pending
    pending = []
  }

  func crash(using random: inout some RandomNumberGenerator) {
    var changes = lost + pending
    var survivor = synced
    switch Int.random(in: 0..<3, using: &random) {
    case 0:
      SimulatedNode.tear(&changes, using: &random)
    case 1:
      changes = changes.filter { _ in Bool.random(using: &random) }
    default:
      let cut = SimulatedNode.tear(&changes, using: &random)
      if case .write(let offset, let part)? = cut {
        let nonsense = (0..<min(part.count, 64)).map { _ in
          UInt8.random(in: 0...255, using: &random)
        }
        changes.append(.write(at: offset, nonsense))
      }
    }
    for change in changes { SimulatedNode.apply(change, to: &survivor) }
    (bytes, synced, pending, lost) = (survivor, survivor, [], [])
  }

  /// Keeps the first changes, the last of them in part; returns what was cut off that one.
  @discardableResult
  private static func tear(
    _ changes: inout [Change], using random: inout some RandomNumberGenerator
  ) -> Change? {
    changes = Array(changes.prefix(Int.random(in: 0...changes.count, using: &random)))
    guard case .write(let offset, let bytes)? = changes.last else { return nil }
    let kept = Int.random(in: 0...bytes.count, using: &random)
    changes[changes.count - 1] = .write(at: offset, Array(bytes.prefix(kept)))
    return .write(at: offset + kept, Array(bytes.dropFirst(kept)))
  }

  private static func apply(_ change: Change, to bytes: inout [UInt8]) {
    switch change {
    case .truncate(let size):
      if bytes.count > size { bytes.removeLast(bytes.count - size) }
    case .write(let offset, let part):
      let end = offset + part.count
      if bytes.count < end { bytes += repeatElement(0, count: end - bytes.count) }
      bytes.replaceSubrange(offset..<end, with: part)
    }
  }
}

private final class SimulatedFile: File {
  private let node: SimulatedNode
  private let disk: SimulatedFileSystem
  private var position = 0

  init(_ node: SimulatedNode, _ disk: SimulatedFileSystem) {
    self.node = node
    self.disk = disk
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    let count = try read(into: buffer, at: position)
    position += count
    return count
  }

  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int {
    let count = max(0, min(buffer.count, node.bytes.count - offset))
    if count > 0 { buffer.copyBytes(from: node.bytes[offset..<offset + count]) }
    return count
  }

  func write(_ bytes: Bytes) throws(SystemError) {
    let end = node.bytes.count
    do throws(SystemError) {
      try disk.operate()
    } catch {
      node.apply(.write(at: end, Array(bytes.copy().prefix(bytes.count / 2))))
      throw error
    }
    let fitting = disk.room.map { max(0, min(bytes.count, $0 - disk.used)) } ?? bytes.count
    node.apply(.write(at: end, Array(bytes.copy().prefix(fitting))))
    guard fitting == bytes.count else { throw SystemError(28, "write") }
  }

  func sync() throws(SystemError) {
    disk.syncs += 1
    do throws(SystemError) {
      try disk.operate()
    } catch {
      node.failSync()
      throw error
    }
    node.sync()
  }

  func truncate(to size: Int) throws(SystemError) {
    try disk.operate()
    node.apply(.truncate(size))
  }

  func size() throws(SystemError) -> Int { node.bytes.count }
}
