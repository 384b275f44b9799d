import Core
import Models
import Testing

@Suite struct ModelFixtureTests {
  static let everyFixture = ModelFixture.Format.allCases.flatMap { format in
    format.names.map { "\(format.rawValue)/\($0)" }
  }

  @Test func thereAreFixtures() {
    #expect(ModelFixture.Format.xgboostJSON.names.count >= 85)
    #expect(ModelFixture.Format.xgboostUBJSON.names.count >= 17)
    #expect(ModelFixture.Format.lightgbm.names.count >= 61)
    #expect(ModelFixture.Format.catboost.names.count >= 51)
    #expect(ModelFixture.Format.onnx.names.count >= 37)
  }

  /// Margins bit for bit; scores within one float of the library's, since they come from the exp of
  /// the C library at hand.
  @Test(arguments: everyFixture)
  func scoresAsTheLibraryDoes(_ place: String) throws {
    let parts = place.split(separator: "/")
    let format = try #require(ModelFixture.Format(rawValue: String(parts[0])))
    let name = String(parts[1])
    let fixture = try ModelFixture(name, format)
    let choices: [(String, ModelOptions.Iterations)] = [
      ("", .automatic), ("-all", .all), ("-best", .best),
    ]
    for (suffix, choice) in choices {
      guard let expected = try fixture.expected(suffix) else { continue }
      let model = try fixture.model(choice)
      #expect(model.format == format.name && model.precision == format.precision)
      #expect(fixture.rows.allSatisfy { $0.count == model.inputCount })
      var margins = model.margins(fixture.rows)
      #expect(margins.count == expected.count)
      // Of sums with 64 bits ONNX Runtime shows 32.
      if format == .onnx { margins = margins.map { $0.map { Double(Float($0)) } } }
      var furthest = 0
      for (row, wanted) in expected.enumerated() {
        #expect(
          margins[row].map(\.bitPattern) == wanted.margin.map(\.bitPattern),
          "\(name)\(suffix), row \(row): \(margins[row]), expected \(wanted.margin)")
        let scores = model.scores(margins[row])
        #expect(scores.count == wanted.score.count)
        if let label = wanted.label {
          #expect(model.classIndex(margins: margins[row], scores: scores) == label)
        }
        furthest = max(
          furthest, zip(scores, wanted.score).map { ulps($0, $1, format.precision) }.max() ?? 0)
      }
      #expect(furthest <= format.scoreBound, "\(name)\(suffix): scores \(furthest) floats apart")
    }
  }

  /// Many rows at once take another kernel than one row does.
  @Test(arguments: everyFixture)
  func oneRowAtATimeScoresAsManyDo(_ place: String) throws {
    let parts = place.split(separator: "/")
    let format = try #require(ModelFixture.Format(rawValue: String(parts[0])))
    let fixture = try ModelFixture(String(parts[1]), format)
    let model = try fixture.model()
    for (row, margins) in zip(fixture.rows, model.margins(fixture.rows)) {
      #expect(model.margins([row])[0].map(\.bitPattern) == margins.map(\.bitPattern))
    }
  }

  /// Up to 1.2 XGBoost added the base score to the sum of the trees; since then it starts from it.
  /// Scores are those of the library of today, and nearly those of then.
  @Test func oldFilesScoreNearlyAsThen() throws {
    var fixtures = 0
    for name in ModelFixture.Format.xgboostJSON.names {
      let fixture = try ModelFixture(name)
      guard let then = try fixture.expected("-then") else { continue }
      fixtures += 1
      for (margins, wanted) in zip(try fixture.model().margins(fixture.rows), then) {
        for (margin, wanted) in zip(margins, wanted.margin) {
          #expect(abs(margin - wanted) <= 1e-6 * max(1, abs(wanted)), "\(name)")
        }
      }
    }
    #expect(fixtures == 5)
  }

  /// Each row by itself, then all in one call: the same.
  @Test func rowsDoNotKnowEachOther() throws {
    let fixture = try ModelFixture("boosted-forest")
    let model = try fixture.model()
    let together = model.margins(fixture.rows)
    for (row, inputs) in fixture.rows.enumerated() {
      #expect(model.margins([inputs])[0] == together[row])
    }
    #expect(model.margins([]).isEmpty)
  }

  @Test func summarises() throws {
    let fixture = try ModelFixture("boosted-forest")
    let model = try fixture.model()
    #expect(model.format == "xgboost-json")
    #expect(model.libraryVersion == "3.2.0")
    #expect(model.objective == "multi:softprob")
    #expect(model.inputNames.isEmpty && model.inputTypes.isEmpty)
    #expect(model.inputCount == 4 && model.outputCount == 3 && model.scoreCount == 3)
    #expect(model.isClassifier && model.classCount == 3)
    #expect(model.treeCount == 18 && model.roundCount == 2 && model.depth == 3)
    #expect(model.bestIteration == nil && model.usedRounds == 0..<2)
    #expect(model.roundsNote == "all 2 rounds")
    #expect(model.fingerprint == fixture.file.withBytes { SHA256.hex(of: $0) })
  }

  @Test func keepsTheFilesNames() throws {
    let fixture = try ModelFixture("names")
    let model = try fixture.model()
    #expect(model.inputNames == fixture.inputNames)
    #expect(model.inputNames.contains("größe"))
    #expect(model.inputTypes == ["float", "q", "int", "i"])
  }

  @Test(arguments: [
    ("binary-logistic", true, 2, 1), ("binary-hinge", true, 2, 1), ("reg-logistic", false, 0, 1),
    ("softmax", true, 3, 1), ("softprob", true, 3, 3), ("multi-label", true, 2, 2),
    ("multi-target", false, 0, 3), ("rank-ndcg", false, 0, 1),
  ])
  func knowsClassifiers(
    _ name: String, _ isClassifier: Bool, _ classCount: Int, _ scoreCount: Int
  ) throws {
    let model = try ModelFixture(name).model()
    #expect(model.isClassifier == isClassifier)
    #expect(model.classCount == classCount)
    #expect(model.scoreCount == scoreCount)
  }

  @Test func choosesIterations() throws {
    let wrapped = try ModelFixture("early-stopped-sklearn")
    let best = try #require(try wrapped.model().bestIteration)
    let rounds = try wrapped.model().roundCount
    #expect(best < rounds - 1)
    #expect(try wrapped.model().usedRounds == 0..<best + 1)
    #expect(try wrapped.model().roundsNote == "rounds up to the best, \(best), of \(rounds)")
    #expect(try wrapped.model(.all).usedRounds == 0..<rounds)
    #expect(try wrapped.model(.range(1..<3)).roundsNote == "rounds 1..<3 of \(rounds)")
    #expect(try wrapped.model(.range(1..<3)).treeCount == 2)

    let native = try ModelFixture("early-stopped")
    #expect(try native.model().usedRounds == 0..<native.model().roundCount)
    #expect(try native.model(.best).treeCount == native.model().bestIteration! + 1)

    let forest = try ModelFixture("early-stopped-forest").model()
    #expect(forest.treeCount == (forest.bestIteration! + 1) * 3 * 2)
  }

  /// A slice's margins, less its base, add up to the whole: 32-bit sums in another order, hence
  /// nearly.
  @Test func rangesAddUp() throws {
    let fixture = try ModelFixture("early-stopped-forest")
    let whole = try fixture.model(.all)
    let split = whole.roundCount / 2
    let head = try fixture.model(.range(0..<split)).margins(fixture.rows)
    let tail = try fixture.model(.range(split..<whole.roundCount)).margins(fixture.rows)
    for (row, margins) in whole.margins(fixture.rows).enumerated() {
      for output in 0..<whole.outputCount {
        let sum = head[row][output] + tail[row][output] - whole.baseMargins[output]
        #expect(abs(sum - margins[output]) < 1e-5)
      }
    }
  }

  @Test func refusesIterationsThatAreNotThere() throws {
    let fixture = try ModelFixture("binary-logistic")
    for range in [0..<13, -1..<2, 3..<3] {
      let failure = #expect(throws: Failure.self) { try fixture.model(.range(range)) }
      #expect(failure?.status == .usage)
    }
    let failure = #expect(throws: Failure.self) { try fixture.model(.best) }
    #expect(failure?.message.contains("the file names none") == true)
  }
}
