// score: rows in, decisions out.

import Core
import Decisions
import Events
import Features
import Measure
import Models

enum ScoreCommand {
  static let model = Flag(
    "model", .file, "A model file, models:/…, or the name of one of the project's models",
    default: "the project's models, each for the event type it decides")
  static let margin = Flag(
    "margin", "Also write the margin: the score before the objective's transform")
  static let format = Flag(
    "format", .choice(["auto", "ndjson", "csv", "tsv"]), "What the rows are", default: "auto")
  static let to = Flag(
    "to", .choice(["ndjson", "csv", "tsv"]), "What to write: decision records, or a table",
    default: "ndjson")
  static let summary = Flag(
    "summary", "Print a summary on stderr also where stderr is not a terminal")

  static let contributions = Flag(
    "contributions",
    "Also write what each input gave to the margin, and the bias that all start from")
  static let explain = Flag(
    "explain", .text("N"), "Also write the N inputs (or reasons) that moved the margin most")
  static let importance = Flag(
    "importance", "Score nothing; print what the model's file says of its inputs' worth in training"
  )

  static let command = Command(
    name: "score",
    summary: "Turn feature rows into decisions with a model",
    story: """
      Reads rows and writes one decision record for each: the model's score, the label and decision by the \
      project's rules, the inputs that the model saw, and how long each layer took.

      A row is a features record from materialize, a plain JSON object, or a line of CSV or TSV with a header. \
      The members (columns) of a plain row are the model's inputs by name; inputs without names are f0, f1, \
      … A null, an absent member and an empty cell are missing values. Scores are those of the library that \
      made the model, in as few decimals as its precision needs. Model formats: XGBoost JSON and UBJSON, LightGBM text, \
      CatBoost JSON, and ONNX with trees in it, which is scored as ONNX Runtime scores it. Texts are looked up among the categories that the model was trained with.

      With --online FOLDER or redis://HOST the features that a plain row does not bring are looked up in the store that materialize \
      --online keeps fresh, by the entities that the row names, as of just before its time (now, where it has none). \
      The decision says how fresh they are; where nothing is known the model's defaults apply. A Redis \
      that does not answer within --online-deadline is done without: rtinfer help online.

      With --contributions or --explain a decision says why: exact Shapley values of the inputs, in margin \
      space, as the library's own pred_contribs gives them (but for CatBoost's Lossguide and Depthwise trees: its own \
      ShapValues do not add up to the margin there, and these do). A share is an input's part of all that was given \
      either way. A model's `reasons` in the project file put inputs together that mean the same to people.

      With --importance no rows are read: for each input its measures are printed as the library names and \
      counts them (of ONNX files, which say nothing else, the splits), over all rounds of the file; a table on a terminal, importance records on a pipe.

      A model of the project may be several files: `combine` in place of `uri` takes the mean of their scores \
      (mean, or weighted, by the sum of the weights; with on: "margin" the mean of their margins), or a stacking \
      model that is told their scores. Its contributions are the weighted sum of the files' own; through scores \
      and stacks each move is dealt out in the proportions of the move before (the rescale rule), so that they \
      add up as well. For a mean of scores they are in the scores' own space, which is its margin too. \
      --importance prints each file's own, with the file's name.

      With --to csv or tsv the decisions of one model are a table: id, time, score (score_0, score_1, … for \
      several outputs), margin on request, label and decision where the project declares them, and every input.

      With --out FILE decisions are appended to a file that later runs go on with: rows are left out whose decision it \
      holds, by the _rt.offset that the log gives, and a line that a crash has torn is cut off first. From cron, \
      materialize --log --out rows.ndjson and then score --out decisions.ndjson rows.ndjson decide each event \
      exactly once. --rejects may hold a row twice.

      On a terminal, or with --summary, ends with a summary: decisions of each kind, rows per second, and \
      p50, p95 and p99 of each layer beside the project's budget.
      """,
    operands: .files,
    flags: [
      CommonFlags.project, model, RegistryFlags.registry, OnlineStore.flag, OnlineStore.deadline,
      format, to, margin,
      contributions, explain, importance, summary, ResumedOutput.flag,
    ]
      + CommonFlags.records,
    examples: [
      .init(
        "rtinfer score --model model.json rows.csv", "A model file and a table; no project needed."),
      .init(
        "rtinfer score --model model.json --to csv rows.csv > scores.csv", "From table to table."),
      .init(
        "rtinfer ingest events.ndjson | rtinfer materialize | rtinfer score > decisions.ndjson",
        "The whole way."),
      .init(
        "rtinfer score --online .rtinfer/online requests.ndjson",
        "Requests without features: they come from the online store."),
      .init(
        "rtinfer score features.ndjson | jq -r 'select(.decision == \"rebook\") | .id'",
        "Whom to call."),
      .init(
        "rtinfer score --model model.json --explain 3 rows.csv", "Why: three inputs for each row."),
      .init(
        "rtinfer score --out decisions.ndjson rows.ndjson",
        "What an earlier run has decided is left out."),
      .init(
        "rtinfer score --model model.json --importance", "Which inputs the training built on."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let project = try Project.find(invocation)
    let extent = try explanationExtent(invocation)
    if invocation.options.isOn(importance) {
      return try ScoreImportance.run(
        invocation, project, try chosenModels(invocation, project))
    }
    let judges = try loadJudges(invocation, project, extent)
    let budgets = try project?.budgets() ?? []
    let rejects = try Rejects(invocation)
    let separator = try separator(invocation)
    let run = ScoreRun(
      invocation, judges: judges, rejects: rejects,
      withMargin: invocation.options.isOn(margin), tableSeparator: separator,
      resumes: try resumedFile(invocation, writesTable: separator != nil))
    try run.writeHeader()
    let inputs = try invocation.inputs()
    for source in inputs {
      let reader = LineReader(source)
      reader.beforeWaiting = { () throws(Failure) in try run.passOn() }
      try run.score(reader, format: try invocation.options.value(format) ?? "auto")
    }
    try run.finish()
    if invocation.terminal.errorIsTerminal || invocation.options.isOn(summary) {
      invocation.messages.summary(run.summary(budgets: budgets))
    }
    return try rejects.finish(total: run.rows)
  }

  private static func resumedFile(
    _ invocation: Invocation, writesTable: Bool
  ) throws(Failure) -> ResumableFile? {
    if writesTable, try invocation.options.value(ResumedOutput.flag) != nil {
      throw .usage("--out goes on by the offsets in records, and a table has none")
    }
    return try ResumedOutput.open(invocation, kind: "decision")
  }

  private static func explanationExtent(
    _ invocation: Invocation
  ) throws(Failure) -> DecisionExplanation.Extent? {
    let options = invocation.options
    guard let text = try options.value(explain) else {
      return options.isOn(contributions) ? .all : nil
    }
    guard !options.isOn(contributions) else {
      throw .usage(
        "--explain and --contributions: one of them", hint: "--contributions has all inputs")
    }
    guard let count = Int(text), count >= 1 else {
      throw .usage(
        "\(options.origin(explain)): '\(text)' is not a number of inputs, 1 or more",
        hint: "rtinfer score --model model.json --explain 3 rows.csv")
    }
    return .most(count)
  }

  /// Between the cells of the table that was asked for; nil for records.
  private static func separator(_ invocation: Invocation) throws(Failure) -> UInt8? {
    let options = invocation.options
    guard let format = try options.value(to), format != "ndjson" else { return nil }
    guard !options.isOn(contributions), try options.value(explain) == nil else {
      throw .usage(
        "--to \(format): a table has no place for explanations", hint: "--to ndjson has one")
    }
    return UInt8(ascii: format == "csv" ? "," : "\t")
  }

  // MARK: Models

  /// The models that --model or the project names, with the paths of their files.
  private static func chosenModels(
    _ invocation: Invocation, _ project: Project?
  ) throws(Failure) -> [(definition: ModelDefinition, path: String)] {
    let named = try invocation.options.value(model)
    let definitions = try project?.models() ?? []
    if let named, !definitions.contains(where: { $0.name == named }) {
      guard named.contains(".") || named.contains("/") || invocation.files.exists(named) else {
        let known = definitions.map(\.name)
        throw .usage(
          "\(invocation.options.origin(model)): '\(named)' is neither a file nor a model of the project",
          hint: Spelling.nearest(named, among: known).map { "did you mean '\($0)'?" })
      }
      let definition = ModelDefinition(name: named, uri: named)
      return [(definition, try DeclaredModel.path(definition, project, invocation))]
    }
    let chosen = definitions.filter { named == nil || $0.name == named }
    guard !chosen.isEmpty, let project else {
      throw .usage(
        "no model: the project file declares none and --model is not given",
        hint: "rtinfer score --model model.json rows.csv")
    }
    var found: [(definition: ModelDefinition, path: String)] = []
    for definition in chosen {
      found.append((definition, try DeclaredModel.path(definition, project, invocation)))
    }
    return found
  }

  private static func loadJudges(
    _ invocation: Invocation, _ project: Project?, _ extent: DecisionExplanation.Extent?
  ) throws(Failure) -> [Judge] {
    var judges: [Judge] = []
    let store = try OnlineStore(invocation, project, deadline: .seconds(1))
    for (definition, path) in try chosenModels(invocation, project) {
      // A file that was named itself has nothing to do with the project's events.
      let declared = try DeclaredModel(
        definition, definition.isDeclared ? project : nil, invocation)
      let judge = try Judge(declared, online: try store?.features(declared.definition))
      if let extent {
        try judge.decider.explainDecisions(extent, declared.definition, source: path)
      }
      judges.append(judge)
    }
    return judges
  }
}
