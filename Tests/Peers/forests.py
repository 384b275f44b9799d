#!/usr/bin/env python3
"""Tree ensembles: rtinfer beside the libraries, on one core, in one run.

    forests.py RTINFER [--quick] [--only MODEL] [--folder DIR]

Trains models (kept in the folder with the rows, made again only where they are not there), scores the same rows by
every peer that is installed, and prints a table: microseconds a row, the best of several repeats, for calls of 1, 16,
256 and all rows.
Single rows differ from call to call. Peers are asked in the way their documents call fast: XGBoost's inplace_predict,
LightGBM's predict and its single-row entry, ONNX Runtime with one thread, Treelite's GTIL. All give margins or raw
scores. What a Python call costs is in the peers' small calls and said to be: libraries called from C are faster there.

Needs xgboost, lightgbm and numpy; catboost, onnxruntime with onnxmltools, treelite with tl2cgen (and gcc), and
scikit-learn with skl2onnx where they are.
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import time

os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import lightgbm  # noqa: E402
import numpy as np  # noqa: E402
import xgboost  # noqa: E402

BATCHES = [1, 16, 256, 100_000]


def rows(inputs, count, seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, inputs)).astype(np.float32)
    y = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + 0.3 * x[:, 3:].sum(1) / np.sqrt(inputs / 18)
    return x, (y + random.normal(size=count) > 0).astype(int)


def train(name, inputs, trees, folder):
    """The model's file; made where it is not there."""
    stem, ending = {
        "xgboost depth 6": ("xgboost", "json"), "lightgbm 63 leaves": ("lightgbm", "txt"),
        "catboost depth 6": ("catboost", "json"), "random forest depth 16": ("forest", "json"),
        "scikit-learn forest depth 12": ("sklearn", "onnx"),
    }[name]
    path = folder / f"{stem}-{inputs}-{trees}.{ending}"
    if path.exists():
        return path
    x, y = rows(inputs, 50_000, 0)
    if stem == "xgboost":
        parameters = dict(objective="binary:logistic", max_depth=6, tree_method="hist", eta=0.1)
        xgboost.train(parameters, xgboost.DMatrix(x, y), trees).save_model(path)
    elif stem == "lightgbm":
        parameters = dict(objective="binary", num_leaves=63, verbose=-1, num_threads=1)
        lightgbm.train(parameters, lightgbm.Dataset(x, y), trees).save_model(path)
    elif stem == "catboost":
        import catboost

        model = catboost.CatBoostClassifier(iterations=trees, depth=6, thread_count=1, verbose=0, allow_writing_files=False)
        model.fit(x, y).save_model(str(path), format="json")
    elif stem == "sklearn":
        import pickle

        from skl2onnx import to_onnx
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(trees, max_depth=12, random_state=0).fit(x, y)
        path.with_suffix(".pickle").write_bytes(pickle.dumps(forest))
        path.write_bytes(to_onnx(forest, x[:1], options={"zipmap": False}).SerializeToString())
    else:
        parameters = dict(
            objective="binary:logistic", max_depth=16, tree_method="hist", eta=1, subsample=0.6,
            colsample_bynode=0.4, num_parallel_tree=trees)
        xgboost.train(parameters, xgboost.DMatrix(x, y), 1).save_model(path)
    return path


def own_library(path):
    """The library that the model is from, and how it is asked."""
    if path.name.startswith("catboost"):
        import catboost

        model = catboost.CatBoostClassifier().load_model(str(path), format="json")
        return {"catboost": lambda x: model.predict(x, prediction_type="RawFormulaVal", thread_count=1)}
    if path.suffix == ".onnx":
        import pickle

        forest = pickle.loads(path.with_suffix(".pickle").read_bytes())
        forest.n_jobs = 1
        return {"scikit-learn": forest.predict_proba}
    if path.suffix == ".txt":
        model = lightgbm.Booster(model_file=path)
        return {"lightgbm": lambda x: model.predict(
            x, raw_score=True, num_threads=1, predict_disable_shape_check=True)}
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(path)
    return {"xgboost": lambda x: booster.inplace_predict(x, predict_type="margin")}


def treelite_peers(path):
    """Treelite's own walk, and the C code that TL2cgen makes of a model, where that does not take long to compile."""
    import treelite

    load = (treelite.frontend.load_lightgbm_model if path.suffix == ".txt"
            else treelite.frontend.load_xgboost_model)
    model = load(path)
    result = {"treelite gtil": lambda x: treelite.gtil.predict(model, x, nthread=1, pred_margin=True)}
    if path.name.endswith(("-100.json", "-300.json", "-100.txt", "-300.txt")):
        import tl2cgen

        library = path.with_suffix(".so")
        if not library.exists():
            tl2cgen.export_lib(model, toolchain="gcc", libpath=library, params={"parallel_comp": 8})
        compiled = tl2cgen.Predictor(library, nthread=1)
        result["tl2cgen"] = lambda x: compiled.predict(tl2cgen.DMatrix(x), pred_margin=True)
    return result


def onnx_peer(path, inputs):
    import onnxruntime

    if path.suffix == ".onnx":
        graph = path.read_bytes()
    else:
        import onnxmltools
        from onnxmltools.convert.common.data_types import FloatTensorType

        kinds = [("x", FloatTensorType([None, inputs]))]
        if path.suffix == ".txt":
            model = lightgbm.Booster(model_file=path)
            graph = onnxmltools.convert_lightgbm(model, initial_types=kinds, zipmap=False)
        else:
            model = xgboost.Booster()
            model.load_model(path)
            graph = onnxmltools.convert_xgboost(model, initial_types=kinds)
        graph = graph.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph, options)
    name = session.get_inputs()[0].name
    return {"onnxruntime": lambda x: session.run(None, {name: x})}


def peers(path, inputs):
    """By name, a function from an array of rows to their raw scores."""
    asked = [lambda: own_library(path)]
    if path.suffix != ".onnx" and not path.name.startswith("catboost"):
        asked.append(lambda: treelite_peers(path))
    if not path.name.startswith("catboost"):
        asked.append(lambda: onnx_peer(path, inputs))
    result = {}
    for make in asked:
        try:
            result.update(make())
        except Exception as error:  # what a peer cannot load is said, and left out
            print(f"# {type(error).__name__}: {str(error).splitlines()[0]}")
    return result


def measure(predict, x, batch, seconds):
    """Microseconds a row, the best repeat."""
    batch = min(batch, len(x))
    starts = range(0, len(x) - batch + 1, batch)
    best, ends = float("inf"), time.perf_counter() + seconds
    predict(x[:batch])
    while True:
        begun, done = time.perf_counter(), 0
        for start in starts:
            predict(x[start:start + batch])
            done += batch
            if time.perf_counter() - begun > seconds:
                break
        best = min(best, (time.perf_counter() - begun) / done * 1e6)
        if time.perf_counter() > ends:
            return best


def ours(program, path, table):
    lines = subprocess.run(
        [program, "bench", "model", "--json", "--batch", ",".join(map(str, BATCHES)), "--repeats", "3",
         str(path), str(table)],
        check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rtinfer")
    parser.add_argument("--quick", action="store_true", help="one model, few rows")
    parser.add_argument("--only", help="models whose name begins so")
    parser.add_argument("--folder", default="forests", type=pathlib.Path)
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    cases = [("xgboost depth 6", 18, 300)]
    if not options.quick:
        cases = [(name, inputs, trees) for name in ("xgboost depth 6", "lightgbm 63 leaves")
                 for inputs in (18, 200) for trees in (100, 300, 1000)]
        cases += [("catboost depth 6", inputs, trees) for inputs in (18, 200) for trees in (300, 1000)]
        cases += [("random forest depth 16", 18, 500), ("scikit-learn forest depth 12", 18, 100)]
    cases = [case for case in cases if case[0].startswith(options.only or "")]
    print(f"# {platform.processor() or platform.machine()}, xgboost {xgboost.__version__}, "
          f"lightgbm {lightgbm.__version__}; microseconds a row, one thread")
    count = 20_000 if options.quick else 100_000
    print("model | inputs | trees | by | " + " | ".join(f"batch {min(size, count)}" for size in BATCHES))
    for name, inputs, trees in cases:
        path = train(name, inputs, trees, options.folder)
        x, _ = rows(inputs, count, 1)
        records = ours(options.rtinfer, path, table(path, x, options.folder))
        figures = [record["best_us_per_row"] for record in records]
        kernels = ", ".join(dict.fromkeys(record["kernel"] for record in records))
        print(f"{name} | {inputs} | {trees} | rtinfer ({kernels}) | "
              + " | ".join(f"{figure:.3f}" for figure in figures), flush=True)
        for peer, predict in peers(path, inputs).items():
            taken = [measure(predict, x, batch, 0.3 if options.quick else 1.0) for batch in BATCHES]
            print(f"{name} | {inputs} | {trees} | {peer} | "
                  + " | ".join(f"{other:.3f} ({other / own:.1f}x)" for other, own in zip(taken, figures)),
                  flush=True)


def table(path, x, folder):
    """The rows as a file, its columns named as rtinfer expects them: f0, f1, … for XGBoost, Column_0, … for LightGBM."""
    stem = "Column_" if path.suffix == ".txt" else "f"
    rows = folder / f"rows-{stem}{x.shape[1]}-{len(x)}.csv"
    if not rows.exists():
        names = ",".join(f"{stem}{index}" for index in range(x.shape[1]))
        np.savetxt(rows, x, delimiter=",", fmt="%.9g", header=names, comments="")
    return rows


if __name__ == "__main__":
    main()
