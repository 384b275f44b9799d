// The library that a model file is from, judging the same rows in the same calls: a script for Python, since there the
// libraries are at home. It writes each figure as a line of JSON, or why there is no more, into a file of its own: what
// libraries print as they like goes to stderr.

enum PeerScript {
  /// Arguments: the model's file, its format, a file of the rows (doubles, row by row) with the margins behind them (of ONNX
  /// the scores, as its runtime has no margins), the file for the figures, the rows' count, inputs of a row, margins of a row,
  /// the first round that predicts and the one behind the last, batch sizes with commas (none above the rows' count), repeats,
  /// threads.
  static let text = #"""
    import json, math, sys, time

    path, kind, data, figures = sys.argv[1:5]
    rows, inputs, outputs, first, end = map(int, sys.argv[5:10])
    repeats, threads = map(int, sys.argv[11:13])

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

    def measure(x, margins, batch):
        starts = range(0, rows - batch + 1, batch)
        passes, calls = [], []
        for turn in range(repeats + 1):
            begun = before = time.perf_counter_ns()
            for start in starts:
                margins(x[start:start + batch])
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
        return {"rows": len(starts) * batch, "best": passes[0], "median": passes[len(passes) // 2],
                "p50": quantile(50), "p99": quantile(99)}

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
        for batch in map(int, sys.argv[10].split(",")):
            tell({"peer": name, "batch": batch, **measure(x, margins, batch),
                  "difference": difference if math.isfinite(difference) else None})

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
