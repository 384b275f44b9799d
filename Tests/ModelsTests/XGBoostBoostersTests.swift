import Core
import Models
import TestSupport
import Testing

/// What XGBoost has beside plain trees: weights of trees, vectors in leaves, linear boosters,
/// categories by name, quantiles and expectiles.
@Suite struct XGBoostBoostersTests {
  private func message(_ change: (inout TinyModel) -> Void) -> String? {
    var tiny = TinyModel()
    change(&tiny)
    do throws(Failure) {
      _ = try load(Array(tiny.text.utf8))
      return nil
    } catch {
      #expect(error.status == .badData)
      return error.message
    }
  }

  // MARK: DART

  @Test func bothLayoutsOfDARTScoreAlike() throws {
    let beside = try ModelFixture("dart")
    let folded = try ModelFixture("dart-as-3.4")
    #expect(beside.file != folded.file)
    let margins = try beside.model().margins(beside.rows)
    #expect(try folded.model().margins(beside.rows) == margins)
    var tiny = TinyModel()
    tiny.moreOfModel = #""weight_drop":[2.5E-1],"#
    #expect(try load(Array(tiny.text.utf8)).margins([[0, 0], [1, 1]]) == [[0.0625], [-0.25]])
    tiny.moreOfModel = #""weight_drop":[],"#
    #expect(try load(Array(tiny.text.utf8)).margins([[0, 0], [1, 1]]) == [[0.25], [-1]])
  }

  @Test(
    arguments: [
      Damage("learner.gradient_booster: 2 values in weight_drop for 1 trees") {
        $0.moreOfModel = #""weight_drop":[1,1],"#
      },
      Damage("learner.gradient_booster: weight_drop nan is not a finite number") {
        $0.moreOfModel = #""weight_drop":[NaN],"#
      },
      Damage(
        "learner.gradient_booster.model.trees[0]: 0 values in base_weights for 5 nodes of 3"
      ) { $0.treeParameters = #"{"size_leaf_vector":"3"}"# },
      Damage(
        "learner.gradient_booster.model.trees[0]: 1 values in base_weights for 5 nodes of 65536"
      ) {
        $0.moreOfTree = #""base_weights":[1],"#
        $0.treeParameters = #"{"size_leaf_vector":"65536"}"#
      },
      Damage(
        "learner.gradient_booster.model.trees[0].tree_param.size_leaf_vector: 99999999999 values in "
          + "a leaf, more than 65536"
      ) { $0.treeParameters = #"{"size_leaf_vector":"99999999999"}"# },
      Damage("tree 0, node 1: leaf 7 is outside 0..<2") {
        $0.right = "[2,7,4,0,0]"
        $0.moreOfTree = #""leaf_weights":[1,2,3,4],"#
        $0.treeParameters = #"{"size_leaf_vector":"2"}"#
      },
      Damage("tree 0, node 4: leaf 0, which another node also is") {
        $0.right = "[2,0,4,0,0]"
        $0.moreOfTree = #""leaf_weights":[1,2,3,4],"#
        $0.treeParameters = #"{"size_leaf_vector":"2"}"#
      },
      Damage("leaves of 2 values for 1 outputs") {
        $0.right = "[2,0,4,1,2]"
        $0.moreOfTree = #""leaf_weights":[1,2,3,4,5,6],"#
        $0.treeParameters = #"{"size_leaf_vector":"2"}"#
      },
      Damage("tree 0, node 3: leaf value inf is not a finite number") {
        $0.right = "[2,0,4,1,2]"
        $0.moreOfTree = #""leaf_weights":[1,2,3,Infinity,5,6],"#
        $0.treeParameters = #"{"size_leaf_vector":"2"}"#
      },
      Damage("learner.gradient_booster.model.cats.enc: 1 for 2 features") {
        $0.moreOfModel = #""cats":{"enc":[{"offsets":[0,1],"values":[120]}]},"#
      },
      Damage(
        "learner.gradient_booster.model.cats.enc[0]: offsets do not rise from 0 to 1"
      ) { $0.moreOfModel = #""cats":{"enc":[{"offsets":[0,5],"values":[120]}]},"# },
    ])
  func refusesDamage(_ damage: Damage) {
    #expect(message(damage.change) == "model.json: " + damage.reason)
  }

  // MARK: Linear boosters

  private func linear(_ weights: String, parameters: String = #""num_feature":"2""#) -> [UInt8] {
    Array(
      """
      {"learner":{"gradient_booster":{"name":"gblinear","model":{"weights":\(weights),\
      "boosted_rounds":3}},"learner_model_param":{"base_score":"5E-1",\(parameters)},\
      "objective":{"name":"reg:squarederror"}}}
      """.utf8)
  }

  /// The number of rounds is only told; nothing is made of that size.
  @Test func aLinearBoostersRoundsAreNotCountedOut() throws {
    var text = try Fixtures.text("models/xgboost-json/gblinear/model.json")
    let rounds = try #require(text.firstRange(of: "\"boosted_rounds\":"))
    text.replaceSubrange(
      rounds.upperBound..<text.index(after: rounds.upperBound), with: "429496729699999")
    let model = try load(Array(text.utf8))
    #expect(model.roundCount >= 429_496_729_699_999)
  }

  @Test func linearBoostersSkipWhatIsMissing() throws {
    let model = try load(linear("[2,-3,10]"))
    #expect(model.margins([[1, 1], [.nan, 1], [1, .nan]]) == [[9.5], [7.5], [12.5]])
    #expect(model.treeCount == 0 && model.roundCount == 3 && model.baseMargins == [0.5])
    #expect(throws: Failure.self) { try load(linear("[2,-3]")) }
    #expect(throws: Failure.self) { try load(linear("[2,-3,NaN]")) }
    #expect(throws: Failure.self) { try load(linear("[2,-3,10]"), "m", .range(0..<2)) }
  }

  // MARK: Text categories

  @Test func textsScoreAsInTheDataFrame() throws {
    let fixture = try ModelFixture("data-frame")
    let expected = try #require(try fixture.expected("-texts"))
    let lines = try Fixtures.text("models/xgboost-json/data-frame/texts.csv").split(separator: "\n")
    for model in [try fixture.model(), try ModelFixture("data-frame", .xgboostUBJSON).model()] {
      let carrier = try #require(model.categories(ofInput: 1))
      let gate = try #require(model.categories(ofInput: 3))
      #expect(model.categories(ofInput: 0) == nil && carrier.count == 5 && gate.count == 3)
      #expect(carrier.code(of: Bytes("never")) == 4 && carrier.code(of: Bytes("ever")) == nil)
      #expect(gate.code(of: 8) == nil)
      let rows: [[Double]] = try lines.dropFirst().map { line in
        let cells = line.split(separator: ",", omittingEmptySubsequences: false)
        let code = Array(cells[1].utf8).withBytes { carrier.code(of: $0) }
        return [
          Double(cells[0]) ?? .nan, Double(try #require(code)), Double(cells[2]) ?? .nan,
          try #require(gate.code(of: Double(cells[3])!)),
        ]
      }
      #expect(model.margins(rows) == expected.map(\.margin))
    }
  }

  /// dmlc/xgboost PR 12371: bytes are written as signed; a text that was cut inside a letter stays
  /// what it is.
  @Test func xgboost12371_categoriesAreBytes() throws {
    var tiny = TinyModel()
    tiny.version = "[3,4,0]"
    tiny.moreOfModel = """
      "cats":{"enc":[{"offsets":[],"values":[]},{"offsets":[0,2,3],"values":[-61,-87,-61]}],\
      "feature_segments":[0,0,2],"sorted_idx":[1,0]},
      """
    let codes = try #require(try load(Array(tiny.text.utf8)).categories(ofInput: 1))
    #expect(codes.code(of: Bytes("é")) == 0)
    #expect([0xC3 as UInt8].withBytes { codes.code(of: $0) } == 1)
    // Before, whoever is behind the é is another text than the training's.
    tiny.version = "[3,3,1]"
    let failure = #expect(throws: Failure.self) { try load(Array(tiny.text.utf8)) }
    #expect(
      failure?.message.hasSuffix("are not all ASCII, and XGBoost 3.3.1 damages such texts") == true,
      "\(failure?.message ?? "")")
  }

  // MARK: Quantiles and expectiles

  /// Since 3.4 quantiles are put in order; the file does not say so, but for its version.
  @Test func quantilesAreOrderedSince34() throws {
    var tiny = TinyModel()
    tiny.objective = #"{"name":"reg:quantileerror"}"#
    tiny.parameters = #"{"base_score":"[1,0,2]","num_feature":"2","num_target":"3"}"#
    for (version, expected) in [("[3,3,0]", [1.25, 0, 2]), ("[3,4,0]", [0, 1.25, 2])] {
      tiny.version = version
      let model = try load(Array(tiny.text.utf8))
      #expect(model.scores(model.margins([[0, 0]])[0]) == expected)
    }
  }

  /// Base scores are expectiles, margins what each adds to the one before: without trees one comes
  /// back as the other.
  @Test func expectilesComeBack() throws {
    var tiny = TinyModel()
    tiny.objective = #"{"name":"reg:expectileerror"}"#
    tiny.parameters = #"{"base_score":"[-1,5E-1,3]","num_feature":"2","num_target":"3"}"#
    tiny.value = "[5E-1,0,0,0,1E0]"
    let model = try load(Array(tiny.text.utf8))
    for (score, wanted) in zip(model.scores(model.margins([[0, 0]])[0]), [-1, 0.5, 3]) {
      #expect(abs(score - wanted) < 1e-5)
    }
    let raised = model.scores(model.margins([[1, 1]])[0])
    for (score, wanted) in zip(raised, [0, 1.5, 4]) { #expect(abs(score - wanted) < 1e-5) }
  }

  /// dmlc/xgboost 8035, 12183: all rounds stay in the file, and the library's parts differ in which
  /// predict. A linear model's rounds cannot be told apart.
  @Test func xgboost8035_bestIterationIsAChoice() throws {
    let fixture = try ModelFixture("early-stopped-sklearn", .xgboostUBJSON)
    let best = try #require(try fixture.model().bestIteration)
    #expect(try fixture.model().usedRounds == 0..<best + 1)
    #expect(try fixture.model(.best).usedRounds == 0..<best + 1)
    #expect(try fixture.model(.all).usedRounds.count > best + 1)
  }
}
