#!/usr/bin/env python3
"""Models that are combined, and what numpy makes of their libraries' own predictions.

    pip install xgboost==3.2.0 lightgbm==4.7.0 numpy
    python3 make.py

rows.csv      rows with all inputs that any of the files takes
expected.json by combination one list for each row: its scores, or margins where the name says so
"""

import csv
import json
import pathlib

import lightgbm as lgb
import numpy as np
import xgboost as xgb

HERE = pathlib.Path(__file__).parent
NAMES = ["distance", "hour", "delay", "carrier"]
ROWS = 40


def data():
    random = np.random.default_rng(4)
    count = 800
    rows = np.column_stack([
        random.integers(80, 2500, count), random.integers(0, 24, count),
        np.round(random.normal(8, 20, count), 1), random.integers(0, 9, count),
    ]).astype(np.float64)
    rows[random.random(count) < 0.1, 2] = np.nan
    late = np.nan_to_num(rows[:, 2]) * 0.08 + (rows[:, 1] > 15) - rows[:, 0] / 2000
    late += (rows[:, 3] == 4) * 1.5 + random.normal(0, 0.7, count)
    return rows, late


def columns(names):
    return [NAMES.index(name) for name in names]


def train_xgboost(file, rows, target, names, rounds=20, **params):
    frame = xgb.DMatrix(rows, target, feature_names=names)
    booster = xgb.train({"max_depth": 3, "eta": 0.3, "nthread": 1, **params}, frame, rounds)
    booster.save_model(HERE / file)
    return booster


def train_lightgbm(file, rows, target, names, **params):
    frame = lgb.Dataset(rows, target, feature_name=names or "auto")
    booster = lgb.train(
        {"num_leaves": 7, "min_data_in_leaf": 20, "num_threads": 1, "verbose": -1,
         "deterministic": True, **params}, frame, 15)
    booster.save_model(HERE / file)
    return booster


def ask(booster, rows, names, **options):
    """In 64 bits, whatever the library gives."""
    if isinstance(booster, lgb.Booster):
        return np.asarray(booster.predict(rows, num_threads=1, **{
            {"output_margin": "raw_score", "pred_contribs": "pred_contrib"}[k]: v
            for k, v in options.items()}), np.float64)
    frame = xgb.DMatrix(rows, feature_names=names)
    return np.asarray(booster.predict(frame, **options), np.float64)


def sigmoid(margin):
    return 1 / (1 + np.exp(-margin))


def binary(rows, late, shown, expected):
    target = (late > 0.3).astype(int)
    of_a, of_b = ["distance", "hour", "delay"], ["carrier", "distance", "delay"]
    a = train_xgboost("xgboost.json", rows[:, columns(of_a)], target, of_a,
                      objective="binary:logistic")
    b = train_lightgbm("lightgbm.txt", rows[:, columns(of_b)], target, of_b, objective="binary")

    def both(rows, **options):
        return [ask(a, rows[:, columns(of_a)], of_a, **options),
                ask(b, rows[:, columns(of_b)], of_b, **options)]

    expected["mean"] = np.mean(both(shown), axis=0)
    expected["weighted"] = np.average(both(shown), axis=0, weights=[0.7, 0.2])
    margins = both(shown, output_margin=True)
    expected["mean-margin"] = np.mean(margins, axis=0)
    expected["mean-margin-score"] = sigmoid(expected["mean-margin"])
    expected["weighted-margin"] = np.average(margins, axis=0, weights=[0.7, 0.2])
    parts = np.zeros((len(shown), len(NAMES) + 1))
    for weight, names, own in zip([0.7 / 0.9, 0.2 / 0.9], [of_a, of_b],
                                  both(shown, pred_contribs=True)):
        parts[:, columns(names) + [-1]] += weight * own
    expected["weighted-margin-contributions"] = parts

    told, shown_told = np.column_stack(both(rows)), np.column_stack(both(shown))
    names = ["xgboost", "lightgbm"]
    meta = train_xgboost("meta.json", told[:, ::-1], target, names[::-1], rounds=12, max_depth=2,
                         objective="binary:logistic")
    expected["stack"] = ask(meta, shown_told[:, ::-1], names[::-1])
    expected["stack-margin"] = ask(meta, shown_told[:, ::-1], names[::-1], output_margin=True)
    meta = train_xgboost("linear.json", told, target, None, rounds=30, booster="gblinear",
                         objective="binary:logistic")
    expected["stack-linear"] = ask(meta, shown_told, None)
    wide, shown_wide = (np.column_stack([t, r[:, 1]]) for t, r in [(told, rows), (shown_told, shown)])
    names = names + ["hour"]
    meta = train_xgboost("passthrough.json", wide, target, names, rounds=12, max_depth=3,
                         objective="binary:logistic")
    expected["stack-passthrough"] = ask(meta, shown_wide, names)


def classes(rows, late, shown, expected):
    target = np.digitize(late, [-0.3, 0.8])
    a = train_xgboost("classes.json", rows, target, NAMES, rounds=6, objective="multi:softprob",
                      num_class=3)
    b = train_lightgbm("classes.txt", rows, target, NAMES, objective="multiclass", num_class=3)
    expected["classes"] = np.mean([ask(m, shown, NAMES) for m in (a, b)], axis=0)
    expected["classes-margin"] = np.mean(
        [ask(m, shown, NAMES, output_margin=True) for m in (a, b)], axis=0)


def nameless(rows, late, shown, expected):
    a = train_xgboost("nameless.json", rows, late, None, objective="reg:squarederror")
    b = train_lightgbm("nameless.txt", rows, late, None, objective="regression")
    expected["nameless"] = np.mean([ask(m, shown, None) for m in (a, b)], axis=0)


def main():
    rows, late = data()
    shown = rows[:ROWS]
    expected = {}
    binary(rows, late, shown, expected)
    classes(rows, late, shown, expected)
    nameless(rows, late, shown, expected)
    with open(HERE / "rows.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(NAMES)
        writer.writerows([["" if np.isnan(v) else "%.17g" % v for v in row] for row in shown])
    with open(HERE / "expected.json", "w") as file:
        lists = [
            '"%s":[%s]' % (name, ",".join(
                "[%s]" % ",".join(repr(float(v)) for v in np.atleast_1d(row)) for row in values))
            for name, values in expected.items()]
        file.write("{\n%s\n}\n" % ",\n".join(lists))
    json.loads((HERE / "expected.json").read_text())


if __name__ == "__main__":
    main()
