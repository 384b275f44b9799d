// What readers and writers of a store ask alike, and what they say when the answer is not what it should be.

import Core

extension RedisClient {
  /// All answers, or why there are none.
  func answers(
    _ commands: [RedisCommand], within span: TimeSpan, _ patience: Patience
  ) throws(Failure) -> [RESPValue] {
    let result = execute(commands, within: span, patience)
    var answers: [RESPValue] = []
    for answer in result.answers {
      guard let answer else { throw failure(result.trouble, span) }
      answers.append(answer)
    }
    return answers
  }

  private func failure(_ trouble: RedisTrouble?, _ span: TimeSpan) -> Failure {
    guard let trouble else {
      return .inputOutput("\(address.description): no answer within \(span.description)")
    }
    let place =
      address.isCluster
      ? "\(address.description): \(trouble.node.description)" : address.description
    if trouble.reason.hasPrefix("LOADING") {
      return .inputOutput(
        "\(place): the server is still loading its data", hint: "try again when it is done")
    }
    return .inputOutput("\(place): \(trouble.reason)")
  }

  /// What a server says that it should not.
  func unexpected(_ answer: RESPValue) -> Failure {
    guard case .error(let words) = answer else {
      return .inputOutput(
        "\(address.description): an answer that makes no sense here: \("\(answer)".prefix(100))")
    }
    if words.hasPrefix("OOM") {
      return .inputOutput(
        "\(address.description): the server is full: \(words)",
        hint: "what was written before is whole; give it more memory (maxmemory) and run this again"
      )
    }
    if words.hasPrefix("NOAUTH") {
      return .inputOutput(
        "\(address.description): asks for a password, as in redis://user:password@host")
    }
    return .inputOutput("\(address.description): \(words)")
  }

  /// A view's head in an answer; nil where there is none.
  func head(_ answer: RESPValue, of view: String) throws(Failure) -> RedisLayout.Head? {
    switch answer {
    case .null: return nil
    case .bytes(let bytes):
      guard let head = RedisLayout.Head(bytes) else {
        throw .badData(
          "\(address.description): the head of the view '\(view)' is damaged or of another version",
          hint: "rtinfer materialize backfill writes it anew")
      }
      return head
    default: throw unexpected(answer)
    }
  }

  /// The head that serves a definition.
  func head(
    _ answer: RESPValue, of view: FeatureView
  ) throws(Failure) -> RedisLayout.Head {
    guard let head = try head(answer, of: view.name) else {
      throw .inputOutput(
        "\(address.description): holds no view '\(view.name)' under the prefix '\(address.prefix)'",
        hint: "rtinfer materialize --online writes it")
    }
    guard head.digest == view.digest else { throw otherDefinition(view.name) }
    return head
  }

  func otherDefinition(_ view: String) -> Failure {
    .badData(
      "\(address.description): holds the view '\(view)' by another definition than the project's",
      hint: "rtinfer materialize backfill writes it anew; the old one serves until it is done")
  }

  /// Lends every row of a generation by its bucket; nil for an entity whose row has expired.
  func visitRows(
    _ layout: RedisLayout, _ view: String, _ generation: Int64, within span: TimeSpan,
    _ body: (_ bucket: Int, _ key: [UInt8], _ value: [UInt8]?) throws(Failure) -> Void
  ) throws(Failure) {
    let (bucketsAtOnce, rowsAtOnce) = (64, 256)
    for start in stride(from: 0, to: RedisLayout.bucketCount, by: bucketsAtOnce) {
      let buckets = Array(start..<start + bucketsAtOnce)
      let indices = try answers(
        buckets.map { RedisCommand("SMEMBERS", key: layout.indexKey($0, view, generation)) },
        within: span, .untilDeadline)
      var entities: [(bucket: Int, key: [UInt8])] = []
      for (bucket, index) in zip(buckets, indices) {
        guard case .list(let members) = index else { throw unexpected(index) }
        for case .bytes(let key) in members { entities.append((bucket, key)) }
      }
      for start in stride(from: 0, to: entities.count, by: rowsAtOnce) {
        let part = entities[start..<min(start + rowsAtOnce, entities.count)]
        let values = try answers(
          part.map { entity in
            RedisCommand("GET", key: entity.key.withBytes { layout.rowKey(view, generation, $0) })
          }, within: span, .untilDeadline)
        for (entity, value) in zip(part, values) {
          switch value {
          case .bytes(let bytes): try body(entity.bucket, entity.key, bytes)
          case .null: try body(entity.bucket, entity.key, nil)
          default: throw unexpected(value)
          }
        }
      }
    }
  }
}
