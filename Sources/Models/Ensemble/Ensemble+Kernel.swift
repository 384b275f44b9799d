// What an ensemble says of itself where a single forest would name its kernel.

extension Ensemble {
  /// The members' own ways for so many rows.
  func kernel(forRows rowCount: Int) -> (name: String, why: String) {
    var models = members.map { (name: $0.name, model: $0.model) }
    let rule: String
    switch self.rule {
    case .mean(_, let space): rule = "a mean of their \(space)s"
    case .stack(let top, _):
      models.append((top.name, top.model))
      rule = "'\(top.name)' on top"
    }
    let ways = models.map { "\($0.name) by \($0.model.kernel(forRows: rowCount).name)" }
    return ("ensemble", "each file by its own, then \(rule): \(ways.joined(separator: "; "))")
  }
}
