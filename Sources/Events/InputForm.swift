// What an input holds: lines of JSON or a table's rows, and what the events in them are wrapped in.
//
//     --from csv,kcat      rows, each a record of `kcat -J`
//     --from kcat          lines; rows where the file ends in .csv or .tsv
//     --from plain         lines, whatever the file is called

public import Core

/// How records stand in an input.
public enum RecordForm: Sendable, Equatable {
  /// One JSON object a line.
  case lines
  /// Rows below a header row.
  case table(separator: UInt8)
  /// A table where the name ends in .csv or .tsv, else lines.
  case byName

  static let csv = RecordForm.table(separator: UInt8(ascii: ","))
  static let tsv = RecordForm.table(separator: UInt8(ascii: "\t"))

  /// The separator of the table that the source of this name holds; nil where it holds lines.
  public func separator(of name: String) -> UInt8? {
    switch self {
    case .lines: return nil
    case .table(let separator): return separator
    case .byName:
      if name.hasSuffix(".csv") { return UInt8(ascii: ",") }
      return name.hasSuffix(".tsv") ? UInt8(ascii: "\t") : nil
    }
  }
}

/// How events come in.
public struct InputForm: Sendable, Equatable {
  public var records = RecordForm.byName
  public var layers = EnvelopeLayers.layers([])

  public init() {}

  /// As in "csv", "kcat,debezium" or "tsv,kcat": the form of the records first, then what is wrapped around their
  /// events from the outside in.
  public init(_ text: String) throws(Failure) {
    var names = text.split(separator: ",", omittingEmptySubsequences: false)
    switch names[0] {
    case "csv": records = .csv
    case "tsv": records = .tsv
    case "plain": records = .lines
    default: names.insert("", at: 0)
    }
    names.removeFirst()
    if let table = names.first(where: { $0 == "csv" || $0 == "tsv" }) {
      throw .usage(
        "'\(table)' is what a whole input is, not what an event is wrapped in",
        hint: "name it first: \(table),\(names.filter { $0 != table }.joined(separator: ","))")
    }
    guard !names.isEmpty else { return }
    layers = try EnvelopeLayers(names.joined(separator: ","))
  }
}
