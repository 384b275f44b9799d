#!/usr/bin/env python3
"""How long explanations take, beside the libraries' own: XGBoost and LightGBM, on one thread.

    python Tests/Peers/contributions.py      with xgboost, lightgbm and numpy installed

For each of some forests it asks the library for the contributions to 500 distinct rows at once, the
best of three runs, and has `rtinfer score --contributions` (a release build) explain the same rows one
by one: the median of the time that its records give for inference, the score itself included.
"""

import json
import pathlib
import subprocess
import tempfile
import time

import lightgbm as lgb
import numpy as np
import xgboost as xgb

ROOT = pathlib.Path(__file__).parents[2]
ROWS, INPUTS = 500, 18


def data(seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(20_000, INPUTS)).astype(np.float32)
    y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.3 * x[:, 3:9].sum(1) + random.normal(size=len(x))
    return x, (y > 0).astype(int), random.normal(size=(ROWS, INPUTS)).astype(np.float32)


def best(body, runs=3):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        body()
        times.append(time.perf_counter() - start)
    return min(times) * 1e6 / ROWS


def ours(model, names, rows, folder):
    path = pathlib.Path(folder) / "rows.csv"
    np.savetxt(path, rows, fmt="%.9g", delimiter=",", header=",".join(names), comments="")
    text = subprocess.run(
        [ROOT / ".build/release/rtinfer", "score", "--contributions", "--model", model, path],
        check=True, capture_output=True, text=True).stdout
    times = sorted(json.loads(line)["_rt"]["layers_us"]["inference"]
                   for line in text.splitlines())
    return times[len(times) // 2]


def main():
    x, y, rows = data(1)
    names = ["f%d" % i for i in range(INPUTS)]
    print("%-28s %10s %10s" % ("µs a row", "library", "rtinfer"))
    with tempfile.TemporaryDirectory() as folder:
        for trees, depth in [(100, 6), (300, 6), (100, 8)]:
            booster = xgb.train({"max_depth": depth, "nthread": 1, "objective": "binary:logistic"},
                                xgb.DMatrix(x, y), trees)
            path = folder + "/model.json"
            booster.save_model(path)
            frame = xgb.DMatrix(rows, nthread=1)
            library = best(lambda: booster.predict(frame, pred_contribs=True))
            print("%-28s %10.1f %10.1f" % (
                "XGBoost %d x depth %d" % (trees, depth), library, ours(path, names, rows, folder)))
        booster = lgb.train({"num_leaves": 63, "num_threads": 1, "objective": "binary",
                             "verbose": -1}, lgb.Dataset(x, y, feature_name=names), 100)
        path = folder + "/model.txt"
        booster.save_model(path)
        library = best(lambda: booster.predict(rows, pred_contrib=True, num_threads=1))
        print("%-28s %10.1f %10.1f" % (
            "LightGBM 100 x 63 leaves", library, ours(path, names, rows, folder)))


if __name__ == "__main__":
    main()
