// The inputs of several models as those of one: all that any of them takes, by name, in the order in
// which they first appear. A file without names (or with those that a library makes up, `Column_0`)
// is taken in the order of the others, which must then be one and the same.
//
//     a.json   [ distance, hour ]            ensemble   [ distance, hour, carrier ]
//     b.txt    [ carrier, distance ]         b's columns  2, 0

import Core

struct EnsembleInputs {
  /// Empty where no file names its inputs.
  private(set) var names: [String] = []
  /// As `Model.inputTypes`: of each input the type that the first file to take it gives.
  private(set) var types: [String] = []
  private(set) var categories: [CategoryCodes?] = []
  private(set) var count = 0
  /// By member: of each of its inputs the place here; empty where they are the same.
  private(set) var columns: [[Int]] = []
  /// Of each input the member that took it first.
  private var firstTakers: [Int] = []

  init(_ members: [EnsembleMember]) throws(EnsembleMismatch) {
    for member in members {
      for name in member.model.givenNames where !names.contains(name) { names.append(name) }
    }
    let named = members.firstIndex { !$0.model.givenNames.isEmpty }
    count = named == nil ? members[0].model.inputCount : names.count
    types = Array(repeating: "", count: count)
    categories = Array(repeating: nil, count: count)
    firstTakers = Array(repeating: -1, count: count)
    for (index, member) in members.enumerated() {
      var places = member.model.givenNames.map { name in names.firstIndex(of: name)! }
      if places.isEmpty {
        try checkOrder(of: index, members, named)
        places = Array(0..<count)
      }
      try join(index, members, places)
      columns.append(places == Array(0..<count) ? [] : places)
    }
    if types.allSatisfy(\.isEmpty) { types = [] }
    if categories.allSatisfy({ $0 == nil }) { categories = [] }
  }

  /// The place of an input that a stacking model takes too; nil where it codes its categories in
  /// another way.
  func place(_ name: String, _ codes: CategoryCodes?) -> Int? {
    names.firstIndex(of: name).flatMap { place in
      (categories.isEmpty ? nil : categories[place]) == codes ? place : nil
    }
  }

  /// Adds an input that only a stacking model takes.
  mutating func append(_ name: String, _ codes: CategoryCodes?) -> Int {
    names.append(name)
    if !types.isEmpty { types.append("") }
    if codes != nil, categories.isEmpty { categories = Array(repeating: nil, count: count) }
    if codes != nil || !categories.isEmpty { categories.append(codes) }
    count += 1
    return count - 1
  }

  /// A file without names is only safe beside files that agree.
  private func checkOrder(
    of index: Int, _ members: [EnsembleMember], _ named: Int?
  ) throws(EnsembleMismatch) {
    let model = members[index].model
    let other = members[named ?? 0]
    if named != nil,
      members.contains(where: { !$0.model.givenNames.isEmpty && $0.model.givenNames != names })
    {
      throw EnsembleMismatch(
        .member(index),
        "does not name its inputs, and the other files name theirs in different orders",
        hint: "save it with feature names")
    }
    guard model.inputCount == count else {
      throw EnsembleMismatch(
        .member(index),
        "takes \(model.inputCount) inputs without naming them, '\(other.name)' takes \(count)")
    }
  }

  /// Takes up one member's types and categories.
  private mutating func join(
    _ index: Int, _ members: [EnsembleMember], _ places: [Int]
  ) throws(EnsembleMismatch) {
    let model = members[index].model
    for (input, place) in places.enumerated() {
      let own = model.categories(ofInput: input)
      guard firstTakers[place] >= 0 else {
        firstTakers[place] = index
        categories[place] = own
        if !model.inputTypes.isEmpty { types[place] = model.inputTypes[input] }
        continue
      }
      guard categories[place] != own else { continue }
      let name = names.isEmpty ? "f\(place)" : names[place]
      throw EnsembleMismatch(
        .member(index),
        "codes the categories of '\(name)' in another way than '\(members[firstTakers[place]].name)'",
        hint: "train them on the same categories in the same order")
    }
  }
}

extension Model {
  /// The file's feature names, without those that a library makes up where it was given none.
  var givenNames: [String] {
    for prefix in ["Column_", "f", ""]
    where inputNames == (0..<inputCount).map({ "\(prefix)\($0)" }) { return [] }
    return inputNames
  }
}
