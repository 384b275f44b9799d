// The templates (`Template.swift`) that were learned of the objects at one place, each once.

final class TemplateTable {
  private let owner: ByteOwner
  /// Templates are pointed at and never move, so they lie in pieces. The first one is empty and stands for the start of
  /// an object.
  private var pieces: [TemplateReference] = []
  private var count = 0
  private let most: Int

  private static let pieceCount = 64
  private static let bytesMax = 128

  /// - Parameters:
  ///   - owner: of the templates' bytes.
  ///   - most: templates that are learned, so that a hostile stream of ever new names costs a fixed amount of memory.
  init(_ owner: ByteOwner, most: Int) {
    self.owner = owner
    self.most = most
    add(Template(.empty, nameOffset: 0, slot: 0, entry: -1, hasChild: false))
  }

  deinit {
    for (index, piece) in pieces.enumerated() {
      piece.deinitialize(
        count: min(TemplateTable.pieceCount, count - index * TemplateTable.pieceCount))
      piece.deallocate()
    }
  }

  /// What precedes the first member of an object. It lives as long as the table, as all templates do.
  var start: TemplateReference { pieces[0] }

  /// Learns what the cursor has read between two values; nil if there is no room for more.
  ///
  /// - Complexity: O(templates).
  func learn(
    after previous: TemplateReference, _ text: Bytes, nameOffset: Int, slot: Int, entry: Int,
    hasChild: Bool
  ) -> TemplateReference? {
    guard text.count <= TemplateTable.bytesMax else { return nil }
    if let known = known(text) {
      previous.pointee.expectNext(known)
      return known
    }
    guard count < most else { return nil }
    let learned = add(
      Template(
        owner.keep(text.copy()), nameOffset: nameOffset, slot: slot, entry: entry,
        hasChild: hasChild))
    previous.pointee.expectNext(learned)
    return learned
  }

  private subscript(index: Int) -> TemplateReference {
    pieces[index / TemplateTable.pieceCount] + index % TemplateTable.pieceCount
  }

  private func known(_ text: Bytes) -> TemplateReference? {
    for index in 1..<count where self[index].pointee.text == text { return self[index] }
    return nil
  }

  @discardableResult
  private func add(_ template: Template) -> TemplateReference {
    if count % TemplateTable.pieceCount == 0 {
      pieces.append(.allocate(capacity: TemplateTable.pieceCount))
    }
    self[count].initialize(to: template)
    count += 1
    return self[count - 1]
  }
}
