// What a measurement was made on: a latency of one machine says little about another's.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Two measurements can be compared where these are equal.
public struct Machine: Sendable, Equatable {
  public var processor: String
  public var cores: Int
  /// The system's name and release.
  public var kernel: String
  /// Of rtinfer.
  public var build: String

  public init(processor: String, cores: Int, kernel: String, build: String) {
    self.processor = processor
    self.cores = cores
    self.kernel = kernel
    self.build = build
  }

  /// Out of a record's `machine`; nil where it does not say.
  public init?(json: String) {
    guard let node = try? JSON5Parser.parse(Array(json.utf8), file: "machine"),
      let processor = try? node["processor"]?.string(),
      let cores = try? node["cores"]?.integer(in: 1...1_000_000)
    else { return nil }
    self.init(
      processor: processor, cores: cores, kernel: (try? node["kernel"]?.string()) ?? "",
      build: (try? node["build"]?.string()) ?? "")
  }

  /// As metrics of a registered version name it.
  public var title: String { "\(processor), \(cores) cores" }

  public static func current(build: String) -> Machine {
    var names = utsname()
    uname(&names)
    let system = withUnsafeBytes(of: &names.sysname) { text($0) }
    let release = withUnsafeBytes(of: &names.release) { text($0) }
    let machine = withUnsafeBytes(of: &names.machine) { text($0) }
    return Machine(
      processor: processorName() ?? machine,
      cores: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), kernel: "\(system) \(release)",
      build: build)
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The first `model name` of Linux's `/proc/cpuinfo`.
  private static func processorName() -> String? {
    guard let text = try? RealFileSystem().contents(of: "/proc/cpuinfo", bytesMax: 4 << 20) else {
      return nil
    }
    for line in text.withBytes({ $0.string }).split(separator: "\n")
    where line.hasPrefix("model name") {
      return line.split(separator: ":", maxSplits: 1).last.map { String($0.drop { $0 == " " }) }
    }
    return nil
  }

  public func append(to output: OutputBuffer) {
    output.append("{\"processor\":")
    output.appendQuoted(processor)
    output.append(",\"cores\":")
    output.append(Int64(cores))
    output.append(",\"kernel\":")
    output.appendQuoted(kernel)
    output.append(",\"build\":")
    output.appendQuoted(build)
    output.append("}")
  }
}
