#!/usr/bin/env python3
"""Makes the CatBoost fixtures: small models, rows, and what the library itself makes of them.

    python make.py            with catboost 1.2.10 installed

Each fixture is a folder catboost/<name> with
    model.json        as the library saved it
    rows.csv          the inputs by name; an empty cell is a missing number, or an empty text
    expected.ndjson   one line a row: the library's raw value and its prediction, as doubles

Only seeded numbers and one thread: made again with the same version, the files are the same but for
dates and identifiers, which are taken out.
"""

import csv
import json
import pathlib
import shutil

import catboost as cb
import numpy as np
import pandas as pd

ROOT = pathlib.Path(__file__).parent
ROW_COUNT = 60
LONG = "a text that is longer than sixteen bytes"
TEXTS = ["UA", "DL", "é", "", "AA", "nine bytes", "exactly sixteen!", "seventeen bytes..",
         LONG, LONG + ", and then " + LONG, LONG * 3 + "!", "x" * 64, "y" * 65, "z" * 128, "abcd"]


def data(seed, inputs=4, rows=400, missing=0.1):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, inputs)).astype(np.float32)
    signal = x[:, 0] - 0.7 * x[:, 1 % inputs] + np.sin(2 * x[:, 2 % inputs])
    signal = signal + 0.3 * random.normal(size=rows)
    x[random.random(x.shape) < missing] = np.nan
    return random, x, signal


def parameters(loss, **more):
    chosen = {"loss_function": loss, "iterations": 6, "depth": 3, "learning_rate": 0.4,
              "random_seed": 7, "thread_count": 1, "verbose": 0, "allow_writing_files": False,
              "leaf_estimation_iterations": 1}
    chosen.update(more)
    return chosen


# What is asked of a model


def edge_rows(model, frame, missing):
    """The training rows with: nothing known, infinities, zeros, denormals, borders and the floats
    next to them, and texts that no training saw."""
    info = model["features_info"]
    rows = frame[:ROW_COUNT].copy().reset_index(drop=True)
    floats = info.get("float_features", [])
    columns = [rows.columns[f["flat_feature_index"]] for f in floats]
    row = 20
    with np.errstate(under="ignore"):
        denormal = np.float32(1.4e-45)
    for value in [np.nan, np.inf, -np.inf, 0.0, -0.0, denormal, -denormal,
                  np.finfo(np.float32).max, -np.finfo(np.float32).max]:
        if missing or not np.isnan(value):
            rows.loc[row, columns] = np.float32(value)
        row += 1
    borders = [(c, np.float32(b)) for c, f in zip(columns, floats) for b in f["borders"]]
    step = max(1, len(borders) // 6)
    for column, border in borders[::step][:6]:
        for value in [border, np.nextafter(border, np.float32(-np.inf)),
                      np.nextafter(border, np.float32(np.inf))]:
            rows.loc[row, column] = value
            row += 1
    for at, feature in enumerate(info.get("categorical_features", [])):
        column = rows.columns[feature["flat_feature_index"]]
        rows.loc[3 + at, column] = 99 if rows[column].dtype.kind == "i" else "never seen"
    assert row <= ROW_COUNT
    return rows


# What is written


def text(value):
    if isinstance(value, str):
        return value
    if isinstance(value, (int, np.integer)):
        return str(value)
    return "" if np.isnan(value) else "%.9g" % float(value)


def number(value):
    return "%.17g" % float(value)


def save(name, booster, frame, score, missing=True):
    folder = ROOT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / "model.json"
    booster.save_model(str(path), format="json")
    model = json.loads(path.read_text())
    for key in ["train_finish_time", "model_guid", "output_options", "training"]:
        model["model_info"].pop(key, None)
    path.write_text(json.dumps(model, separators=(",", ":"), ensure_ascii=False))
    rows = edge_rows(model, frame, missing)
    with open(folder / "rows.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows.columns)
        writer.writerows([[text(v) for v in row] for row in rows.itertuples(index=False)])
    # Not by the file read again: the library's reader of decimals does not round correctly, so that
    # leaves come back a bit off.
    margins = booster.predict(rows, prediction_type="RawFormulaVal", thread_count=1)
    scores = booster.predict(rows, prediction_type=score, thread_count=1)
    with open(folder / "expected.ndjson", "w") as file:
        for margin, score in zip(np.atleast_2d(margins.T).T, np.atleast_2d(scores.T).T):
            if len(margin) == 1 and len(score) == 2:
                score = score[1:]
            assert np.isfinite(margin).all() and np.isfinite(score).all()
            lists = tuple(",".join(map(number, values)) for values in (margin, score))
            file.write('{"margin":[%s],"score":[%s]}\n' % lists)
    return model


def train(name, loss, x, label, score="RawFormulaVal", missing=True, categorical=(), group=None,
          edit=None, **more):
    frame = x if isinstance(x, pd.DataFrame) else pd.DataFrame(x)
    pool = cb.Pool(frame, label, cat_features=list(categorical), group_id=group)
    booster = cb.CatBoost(parameters(loss, **more))
    booster.fit(pool)
    if edit:
        edit(booster)
    return save(name, booster, frame, score, missing)


# The fixtures


def regressions():
    _, x, signal = data(1)
    positive = np.exp(0.5 * signal)
    for loss in ["RMSE", "MAE", "Quantile:alpha=0.8", "MAPE", "Lq:q=3", "Huber:delta=1.5",
                 "Expectile:alpha=0.7", "LogCosh", "LogLinQuantile:alpha=0.6"]:
        train(loss.split(":")[0].lower(), loss, x, positive)
    train("poisson", "Poisson", x, np.floor(positive), "Exponent")
    train("tweedie", "Tweedie:variance_power=1.4", x, np.maximum(positive - 1, 0), "Exponent")
    train("cox", "Cox", x, np.where(signal > 0, positive, -positive))
    train("multi-rmse", "MultiRMSE", x, np.stack([signal, -2 * signal, signal**2], 1))
    train("multi-quantile", "MultiQuantile:alpha=0.1,0.5,0.9", x, signal)
    train("rmse-with-uncertainty", "RMSEWithUncertainty", x, signal, "RMSEWithUncertainty")
    train("scale-and-bias", "RMSE", x, signal, edit=lambda b: b.set_scale_and_bias(0.37, 2.5))
    train("no-bias", "RMSE", x, signal, boost_from_average=False)


def classifications():
    _, x, signal = data(2)
    label = (signal > 0.4).astype(int)
    chance = 1 / (1 + np.exp(-signal))
    train("logloss", "Logloss", x, label, "Probability", iterations=10)
    train("logloss-deep", "Logloss", x, label, "Probability", depth=8, iterations=3)
    train("logloss-stump", "Logloss", x, label, "Probability", depth=1)
    train("cross-entropy", "CrossEntropy", x, chance, "Probability")
    train("focal", "Focal:focal_alpha=0.4;focal_gamma=2", x, label, "Probability")
    classes = np.digitize(signal, [-1, 0.5])
    train("multiclass", "MultiClass", x, classes, "Probability")
    train("one-vs-all", "MultiClassOneVsAll", x, classes, "Probability")
    train("multi-logloss", "MultiLogloss", x, np.stack([signal > 0, signal > 1], 1).astype(int),
          "Probability")
    train("multi-cross-entropy", "MultiCrossEntropy", x, np.stack([chance, 1 - chance / 2], 1),
          "Probability")


def rankings():
    _, x, signal = data(3)
    relevance = np.digitize(signal, [-1, 0, 1])
    group = np.repeat(np.arange(10), 40)
    for loss in ["YetiRank", "QueryRMSE", "QuerySoftMax"]:
        train(loss.lower(), loss, x, relevance, group=group)


def missing_values():
    random, x, signal = data(4, missing=0.25)
    signal = signal.copy()
    signal[np.isnan(x[:, 0])] += 2
    signal[np.isnan(x[:, 1])] -= 2
    for mode, treatment in [("Min", "AsFalse"), ("Max", "AsTrue")]:
        model = train("nan-" + mode.lower(), "RMSE", x, signal, nan_mode=mode, iterations=10)
        features = model["features_info"]["float_features"]
        assert all(f["nan_value_treatment"] == treatment for f in features)
        if mode == "Max":
            train("nan-max-unbalanced", "RMSE", x, signal, nan_mode=mode, grow_policy="Lossguide",
                  max_leaves=9, depth=5)
    full = random.normal(size=x.shape).astype(np.float32)
    model = train("nan-as-is", "RMSE", full, full[:, 0] - full[:, 1], missing=False)
    features = model["features_info"]["float_features"]
    assert all(f["nan_value_treatment"] == "AsIs" for f in features)


def unbalanced():
    _, x, signal = data(5)
    classes = np.digitize(signal, [-1, 0.5])
    train("lossguide", "Logloss", x, (signal > 0).astype(int), "Probability",
          grow_policy="Lossguide", max_leaves=12, depth=6)
    train("depthwise", "RMSE", x, signal, grow_policy="Depthwise", depth=4)
    train("lossguide-multiclass", "MultiClass", x, classes, "Probability",
          grow_policy="Lossguide", max_leaves=6)


def categorical_frame(seed):
    random, x, signal = data(seed)
    frame = pd.DataFrame({
        "delay": x[:, 0], "carrier": random.choice(TEXTS, len(x)),
        "gate": random.choice([7, 30, 12], len(x)), "distance": x[:, 2],
        "tail": ["N%d" % n for n in random.integers(0, 60, len(x))]})
    signal = signal + frame["carrier"].isin(TEXTS[::2]) * 2 - (frame["gate"] == 12) * 1.5
    return frame, signal + frame["tail"].str.len() * (frame["carrier"] > "m")


def categories():
    frame, signal = categorical_frame(6)
    label = (signal > 1).astype(int)
    columns = ["carrier", "gate", "tail"]
    more = {"categorical": columns, "iterations": 12}
    model = train("one-hot", "RMSE", frame, signal, one_hot_max_size=100, **more)
    assert "ctrs" not in model["features_info"]
    train("ctr", "Logloss", frame, label, "Probability", one_hot_max_size=3, depth=5, **more)
    train("ctr-single", "Logloss", frame, label, "Probability", max_ctr_complexity=1, **more)
    train("ctr-regression", "RMSE", frame, signal, **more)
    train("ctr-multiclass", "MultiClass", frame, np.digitize(signal, [0, 2]), "Probability", **more)
    for kind in ["Borders", "Buckets", "BinarizedTargetMeanValue", "Counter"]:
        model = train("ctr-" + kind.lower(), "RMSE", frame, signal, one_hot_max_size=1,
                      simple_ctr=[kind + ":Prior=0.5/1:Prior=0/1"],
                      combinations_ctr=[kind + ":Prior=0.3/1"], **more)
        assert any(c["ctr_type"] == kind for c in model["features_info"]["ctrs"])
    train("ctr-target-borders", "RMSE", frame, signal,
          simple_ctr=["Borders:TargetBorderCount=3", "Buckets:TargetBorderCount=3"], **more)
    for seed in range(20):
        model = train("ctr-combinations", "RMSE", frame, signal, one_hot_max_size=3, depth=6,
                      max_ctr_complexity=4, random_seed=seed, categorical=columns, iterations=20,
                      model_size_reg=0)
        kinds = {e["combination_element"] for c in model["features_info"]["ctrs"]
                 for e in c["elements"]}
        if len(kinds) == 3:
            break
    assert len(kinds) == 3, kinds
    train("ctr-unbalanced", "Logloss", frame, label, "Probability", grow_policy="Depthwise", **more)


def shapes():
    _, x, signal = data(7)
    model = train("ignored-features", "RMSE", x, signal, ignored_features=[0, 2])
    assert [f["flat_feature_index"] for f in model["features_info"]["float_features"]] != [0]
    names = pd.DataFrame(x, columns=["delay", "größe", "two words", "a__b"])
    train("names", "RMSE", names, signal)
    wide = np.random.default_rng(8).normal(size=(300, 40)).astype(np.float32)
    train("many-inputs", "RMSE", wide, wide[:, 3] * wide[:, 39] + wide[:, 17], missing=False)


def main():
    for make in [regressions, classifications, rankings, missing_values, unbalanced, categories,
                 shapes]:
        make()
    size = sum(f.stat().st_size for f in ROOT.rglob("*") if f.is_file())
    print(cb.__version__, len(list(ROOT.iterdir())) - 1, "fixtures,", size, "bytes")


if __name__ == "__main__":
    main()
