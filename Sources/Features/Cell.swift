// A value in a window: like `Scalar`, but text is a number in the view's table of strings, so that a cell may
// outlive the record it came from.

import Core

enum Cell: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  /// Index into the view's strings.
  case text(Int32)
  case time(Timestamp)
  /// A list or an object as JSON: number in the texts of the question that it answers.
  case document(Int32)

  /// Copies a text into `strings` if it is not there yet.
  init(_ scalar: Scalar, strings: ByteTable) {
    switch scalar {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .uint(let value): self = .uint(value)
    case .double(let value): self = .double(value)
    case .text(let value): self = .text(Int32(strings.insert(value).index))
    case .time(let value): self = .time(value)
    }
  }

  func scalar(_ texts: AnswerTexts) -> Scalar {
    switch self {
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .uint(let value): .uint(value)
    case .double(let value): .double(value)
    case .text(let index): .text(texts.strings[Int(index)])
    case .time(let value): .time(value)
    case .document(let index): .text(texts.document(Int(index)))
    }
  }
}

/// The texts that answers refer to: those of the events, and lists and objects that are written as JSON for one
/// look-up and are gone with the next.
final class AnswerTexts {
  let strings: ByteTable
  private var documents: [(memory: UnsafeMutablePointer<UInt8>, count: Int)] = []
  private let scratch = OutputBuffer(MemorySink())

  init(strings: ByteTable) { self.strings = strings }

  deinit { forgetDocuments() }

  /// Frees what was written for earlier questions.
  func forgetDocuments() {
    guard !documents.isEmpty else { return }
    for document in documents { document.memory.deallocate() }
    documents.removeAll(keepingCapacity: true)
  }

  /// Writes a document.
  func write(_ body: (OutputBuffer, AnswerTexts) -> Void) -> Cell {
    body(scratch, self)
    let written = scratch.pending
    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(written.count, 1))
    copy.update(from: written.base, count: written.count)
    documents.append((copy, written.count))
    scratch.rewind(to: 0)
    return .document(Int32(documents.count - 1))
  }

  /// A list of values.
  func list(_ cells: some Sequence<Cell>) -> Cell {
    write { output, texts in
      output.append(UInt8(ascii: "["))
      var needsComma = false
      for cell in cells {
        if needsComma { output.append(UInt8(ascii: ",")) }
        needsComma = true
        output.append(cell.scalar(texts))
      }
      output.append(UInt8(ascii: "]"))
    }
  }

  func document(_ index: Int) -> Bytes {
    Bytes(base: UnsafePointer(documents[index].memory), count: documents[index].count)
  }
}
