#!/usr/bin/env python3
"""Tree ensembles: rtinfer beside the libraries, on one core, in one run.

    forests.py RTINFER [--quick] [--folder DIR]

Trains models (kept in the folder, made again only where they are not there), scores the same rows by every peer that is
installed, and prints a table: microseconds a row, the best of several repeats, for calls of 1, 16, 256 and all rows.
Single rows differ from call to call. Peers are asked in the way their documents call fast: XGBoost's inplace_predict,
LightGBM's predict and its single-row entry, ONNX Runtime with one thread, Treelite's GTIL. All give margins or raw
scores. What a Python call costs is in the peers' small calls and said to be: libraries called from C are faster there.

Needs xgboost, lightgbm and numpy; catboost, onnxruntime with onnxmltools, treelite and scikit-learn where they are.
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
    """The model's file, and the library's own object."""
    if name == "xgboost depth 6":
        path = folder / f"xgboost-{inputs}-{trees}.json"
        if not path.exists():
            x, y = rows(inputs, 50_000, 0)
            parameters = dict(objective="binary:logistic", max_depth=6, tree_method="hist", eta=0.1)
            xgboost.train(parameters, xgboost.DMatrix(x, y), trees).save_model(path)
    elif name == "lightgbm 63 leaves":
        path = folder / f"lightgbm-{inputs}-{trees}.txt"
        if not path.exists():
            x, y = rows(inputs, 50_000, 0)
            parameters = dict(objective="binary", num_leaves=63, verbose=-1, num_threads=1)
            lightgbm.train(parameters, lightgbm.Dataset(x, y), trees).save_model(path)
    else:
        path = folder / f"forest-{inputs}-{trees}.json"
        if not path.exists():
            x, y = rows(inputs, 50_000, 0)
            parameters = dict(
                objective="binary:logistic", max_depth=16, tree_method="hist", eta=1, subsample=0.6,
                colsample_bynode=0.4, num_parallel_tree=trees)
            xgboost.train(parameters, xgboost.DMatrix(x, y), 1).save_model(path)
    return path


def peers(path):
    """By name, a function from an array of rows to their raw scores."""
    result = {}
    if path.suffix == ".json":
        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(path)
        result["xgboost"] = lambda x: booster.inplace_predict(x, predict_type="margin")
    else:
        model = lightgbm.Booster(model_file=path)
        result["lightgbm"] = lambda x: model.predict(
            x, raw_score=True, num_threads=1, predict_disable_shape_check=True)
    try:
        import treelite

        load = (treelite.frontend.load_xgboost_model if path.suffix == ".json"
                else treelite.frontend.load_lightgbm_model)
        tree = load(path)
        result["treelite gtil"] = lambda x: treelite.gtil.predict(tree, x, nthread=1, pred_margin=True)
    except Exception as error:  # what a peer cannot load is said, and left out
        print(f"# treelite: {str(error).splitlines()[0]}")
    try:
        import onnxmltools
        import onnxruntime
        from onnxmltools.convert.common.data_types import FloatTensorType

        inputs = (booster.num_features() if path.suffix == ".json" else model.num_feature())
        kinds = [("x", FloatTensorType([None, inputs]))]
        graph = (onnxmltools.convert_xgboost(booster, initial_types=kinds) if path.suffix == ".json"
                 else onnxmltools.convert_lightgbm(model, initial_types=kinds, zipmap=False))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
        result["onnxruntime"] = lambda x: session.run(None, {"x": x})
    except Exception as error:
        print(f"# onnxruntime: {str(error).splitlines()[0]}")
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
    parser.add_argument("--folder", default="forests", type=pathlib.Path)
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    cases = [("xgboost depth 6", 18, 300)]
    if not options.quick:
        cases = [(name, inputs, trees) for name in ("xgboost depth 6", "lightgbm 63 leaves")
                 for inputs in (18, 200) for trees in (100, 300, 1000)]
        cases += [("random forest depth 16", 18, 500)]
    print(f"# {platform.processor() or platform.machine()}, xgboost {xgboost.__version__}, "
          f"lightgbm {lightgbm.__version__}; microseconds a row, one thread")
    print("model | inputs | trees | by | " + " | ".join(f"batch {size}" for size in BATCHES))
    for name, inputs, trees in cases:
        path = train(name, inputs, trees, options.folder)
        x, _ = rows(inputs, 20_000 if options.quick else 100_000, 1)
        table = options.folder / f"rows-{inputs}.csv"
        names = column_names(path, inputs)
        np.savetxt(table, x, delimiter=",", fmt="%.9g", header=",".join(names), comments="")
        records = ours(options.rtinfer, path, table)
        figures = [record["best_us_per_row"] for record in records]
        kernels = ", ".join(dict.fromkeys(record["kernel"] for record in records))
        print(f"{name} | {inputs} | {trees} | rtinfer ({kernels}) | "
              + " | ".join(f"{figure:.3f}" for figure in figures), flush=True)
        for peer, predict in peers(path).items():
            taken = [measure(predict, x, batch, 0.3 if options.quick else 1.0) for batch in BATCHES]
            print(f"{name} | {inputs} | {trees} | {peer} | "
                  + " | ".join(f"{other:.3f} ({other / own:.1f}x)" for other, own in zip(taken, figures)),
                  flush=True)


def column_names(path, inputs):
    """Column names as rtinfer expects them: f0, f1, … for XGBoost, Column_0, … for LightGBM."""
    stem = "Column_" if path.suffix == ".txt" else "f"
    return [f"{stem}{index}" for index in range(inputs)]


if __name__ == "__main__":
    main()
