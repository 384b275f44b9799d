// What Python makes of the same calls: a script for the library that a model file is from, since in Python the libraries are
// at home, and one for where features lie. Each writes a figure as a line of JSON, or why there is no more, into a file of
// its own: what libraries print as they like goes to stderr.

enum PeerScript {
  /// Arguments: the model's file, its format, a file of the rows (doubles, row by row) with the margins behind them (of ONNX
  /// the scores, as its runtime has no margins), the file for the figures, the rows' count, inputs of a row, margins of a row,
  /// the first round that predicts and the one behind the last, batch sizes with commas (none above the rows' count), repeats,
  /// threads, and a file of the rows' events, a line each, or nothing.
  static let model = measure + "\n" + libraries + "\n" + judge + "\n" + main

  /// Arguments: a file whose first line has the tables and whose second the look-ups, the file for the figures, batch sizes as
  /// above, repeats, `dict` or `sqlite3`.
  ///
  /// A table is {"keys": […], "rows": [[…], …]}; a look-up has the place of a key for each table, -1 for none.
  static let features = measure + "\n" + stores + "\n" + main

  /// Times `call(start, stop)` over the rows, `batch` at a time.
  private static let measure = #"""
    import json, math, sys, time

    def measure(rows, batch, repeats, call):
        starts = range(0, rows - batch + 1, batch)
        passes, calls = [], []
        for turn in range(repeats + 1):
            begun = before = time.perf_counter_ns()
            for start in starts:
                call(start, start + batch)
                now = time.perf_counter_ns()
                if turn:
                    calls.append(now - before)
                before = now
            # The first pass only warms up.
            if turn:
                passes.append((before - begun) / 1e3 / (len(starts) * batch))
        passes.sort()
        calls.sort()
        quantile = lambda share: calls[max(0, -(-len(calls) * share // 100) - 1)]
        return {"batch": batch, "rows": len(starts) * batch, "best": passes[0], "median": passes[len(passes) // 2],
                "p50": quantile(50), "p99": quantile(99)}
    """#

  private static let libraries = #"""
    path, kind, data, figures = sys.argv[1:5]
    rows, inputs, outputs, first, end = map(int, sys.argv[5:10])
    repeats, threads = map(int, sys.argv[11:13])
    lines = sys.argv[13]

    def xgboost_margins():
        import xgboost
        booster = xgboost.Booster({"nthread": threads})
        booster.load_model(bytearray(open(path, "rb").read()))
        config = json.loads(booster.save_config())
        if config["learner"]["gradient_booster"]["name"] == "gblinear":
            # The only call that it has, and only for all rounds.
            return "xgboost " + xgboost.__version__, "float32", lambda x: booster.predict(
                xgboost.DMatrix(x, nthread=threads), output_margin=True, validate_features=False)
        return "xgboost " + xgboost.__version__, "float32", lambda x: booster.inplace_predict(
            x, iteration_range=(first, end), predict_type="margin", validate_features=False)

    def lightgbm_margins():
        import lightgbm
        booster = lightgbm.Booster(model_str=open(path).read())
        return "lightgbm " + lightgbm.__version__, "float64", lambda x: booster.predict(
            x, raw_score=True, num_threads=threads, predict_disable_shape_check=True)

    def catboost_margins():
        import catboost
        model = catboost.CatBoost()
        model.load_model(path, format="json")
        return "catboost " + catboost.__version__, "float32", lambda x: model.predict(
            x, prediction_type="RawFormulaVal", thread_count=threads)

    def onnx_scores():
        import numpy, onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options)
        ports = session.get_inputs()
        numbers = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int64)": "int64",
                   "tensor(int32)": "int32"}
        def scores(x):
            feed, first = {}, 0
            for port in ports:
                width = inputs if len(ports) == 1 else port.shape[1]
                feed[port.name] = x[:, first:first + width].astype(numbers[port.type], copy=False)
                first += width
            last = session.run(None, feed)[-1]
            if isinstance(last, list):
                last = [list(row.values()) for row in last]
            # Of two classes the second's, where ours is alone.
            return numpy.asarray(last).reshape(len(x), -1)[:, -outputs:]
        number = numbers[ports[0].type] if len(ports) == 1 else "float64"
        return "onnxruntime " + onnxruntime.__version__, number, scores

    def largest_difference(ours, theirs):
        import numpy
        # Infinities of one sign are the same, and so are two that are no numbers.
        same = (ours == theirs) | (numpy.isnan(ours) & numpy.isnan(theirs))
        with numpy.errstate(invalid="ignore"):
            return float(numpy.max(numpy.where(same, 0.0, numpy.abs(ours - theirs))))

    """#

  /// Rows alone, or each behind its event's text and before a decision's: the middle of a service. What it does not do is
  /// done for it: features come finished, and there are neither windows nor rules.
  private static let judge = #"""
    def service(x, margins):
        import numpy
        try:
            import orjson as texts
            name = "orjson " + texts.__version__
        except ImportError:
            texts, name = json, "json"
        events = open(lines, "rb").read().splitlines()
        finished = x.tolist()
        def decide(start, stop):
            asked = [texts.loads(event) for event in events[start:stop]]
            told = margins(numpy.array(finished[start:stop], dtype=x.dtype))
            return [texts.dumps({**event, "margin": margin}) for event, margin in zip(asked, told.tolist())]
        return " behind " + name, decide

    def run(tell):
        import numpy
        loaders = {"xgboost": xgboost_margins, "lightgbm": lightgbm_margins,
                   "catboost": catboost_margins, "onnx": onnx_scores}
        name, number, margins = loaders[kind.split("-")[0]]()
        numbers = numpy.fromfile(data)
        x = numpy.ascontiguousarray(numbers[:rows * inputs].reshape(rows, inputs), dtype=number)
        ours = numbers[rows * inputs:].reshape(rows, outputs)
        theirs = numpy.asarray(margins(x), dtype="float64").reshape(rows, outputs)
        difference = largest_difference(ours, theirs)
        call = lambda start, stop: margins(x[start:stop])
        if lines:
            behind, call = service(x, margins)
            name += behind
        for batch in map(int, sys.argv[10].split(",")):
            tell({"peer": name, **measure(rows, batch, repeats, call),
                  "difference": difference if math.isfinite(difference) else None})
    """#

  /// Finished values by each table's key: a dict of this process, or a database in its memory.
  private static let stores = #"""
    def in_dicts(tables):
        stores = [dict(zip(table["keys"], table["rows"])) for table in tables]
        none = [[None] * len(table["rows"][0]) for table in tables]
        def read(request):
            values = []
            for store, key, empty in zip(stores, request, none):
                values += store.get(key, empty)
            return values
        return "dict of Python " + sys.version.split()[0], read

    def in_sqlite(tables):
        import sqlite3
        store = sqlite3.connect(":memory:")
        selects = []
        for place, table in enumerate(tables):
            columns = [f"c{column}" for column in range(len(table["rows"][0]))]
            store.execute(f"CREATE TABLE t{place} (key TEXT PRIMARY KEY, {', '.join(columns)}) WITHOUT ROWID")
            marks = ", ".join("?" * (len(columns) + 1))
            rows = ([key, *row] for key, row in zip(table["keys"], table["rows"]))
            store.executemany(f"INSERT INTO t{place} VALUES ({marks})", rows)
            selects.append((f"SELECT {', '.join(columns)} FROM t{place} WHERE key = ?", (None,) * len(columns)))
        store.commit()
        def read(request):
            values = []
            for (select, empty), key in zip(selects, request):
                values += store.execute(select, (key,)).fetchone() or empty
            return values
        return "sqlite3 " + sqlite3.sqlite_version + " in memory", read

    path, figures, batches, repeats, kind = sys.argv[1:6]

    def run(tell):
        with open(path) as file:
            tables, lookups = json.loads(file.readline()), json.loads(file.readline())
        wanted = [tuple(None if place < 0 else table["keys"][place] for table, place in zip(tables, lookup))
                  for lookup in lookups]
        name, read = {"dict": in_dicts, "sqlite3": in_sqlite}[kind](tables)
        for lookup, request in zip(lookups, wanted):
            expected = []
            for table, place in zip(tables, lookup):
                expected += table["rows"][place] if place >= 0 else [None] * len(table["rows"][0])
            if list(read(request)) != expected:
                raise ValueError(f"{name} does not say of {request} what it was told")
        def call(start, stop):
            for request in wanted[start:stop]:
                read(request)
        for batch in map(int, batches.split(",")):
            tell({"peer": name, **measure(len(wanted), batch, int(repeats), call), "difference": None})
    """#

  private static let main = #"""
    with open(figures, "w") as output:
        def tell(line):
            output.write(json.dumps(line) + "\n")
            # What comes next may end us.
            output.flush()
        try:
            run(tell)
        except Exception as error:
            tell({"error": (str(error).splitlines() or [type(error).__name__])[0]})
    """#
}
