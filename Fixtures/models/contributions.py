#!/usr/bin/env python3
"""Asks the libraries what each input gave to the margins of some fixtures' rows.

    python contributions.py      with xgboost 3.2, lightgbm 4.7 and catboost 1.2.10 installed

Writes <format>/<name>/contributions.ndjson: one line a row, for each output a list of one number for
each input and last the bias. XGBoost takes no infinities here, so that it gets the largest numbers
for them.
"""

import csv
import json
import pathlib

import catboost as cb
import lightgbm as lgb
import numpy as np
import pandas as pd
import xgboost as xgb

ROOT = pathlib.Path(__file__).parent
XGBOOST = ["names", "squarederror", "binary-logistic", "binary-logistic-deep", "boosted-forest",
           "forest", "categories-partition", "categories-one-hot", "dart", "dart-forest", "pruned",
           "edges", "softprob", "softprob-wide", "multi-target", "poisson", "gblinear",
           "gblinear-softprob", "many-inputs", "no-rounds", "early-stopped"]
LIGHTGBM = ["regression", "binary", "multiclass", "categories", "categories-missing-none",
            "categories-one-hot", "missing-nan", "missing-none", "missing-zero", "constant", "dart",
            "rf-binary", "rf-multiclass", "unbalanced-deep", "many-inputs", "edges",
            "edges-zero-missing", "threshold-inf"]
CATBOOST = ["logloss", "logloss-deep", "multiclass", "nan-max", "one-hot", "ctr",
            "ctr-combinations", "ctr-multiclass", "lossguide", "depthwise", "lossguide-multiclass",
            "ctr-unbalanced", "many-inputs"]


def cells(folder):
    with open(ROOT / folder / "rows.csv", newline="") as file:
        return list(csv.reader(file))


def numbers(folder, kind):
    return np.array([[float(c) if c else np.nan for c in row] for row in cells(folder)[1:]], kind)


def write(folder, values, outputs):
    values = np.asarray(values, np.float64).reshape(len(values), outputs, -1)
    assert np.isfinite(values).all(), folder
    with open(ROOT / folder / "contributions.ndjson", "w") as file:
        for row in values:
            lists = ["[%s]" % ",".join("%.9g" % v for v in output) for output in row]
            file.write("[%s]\n" % ",".join(lists))


def ask_xgboost(name):
    folder = "xgboost-json/" + name
    booster = xgb.Booster({"nthread": 1}, model_file=str(ROOT / folder / "model.json"))
    most = np.finfo(np.float32).max
    rows = np.clip(numbers(folder, np.float32), -most, most)
    frame = xgb.DMatrix(rows, feature_names=booster.feature_names,
                        feature_types=booster.feature_types, enable_categorical=True)
    values = booster.predict(frame, pred_contribs=True)
    write(folder, values, values.shape[1] if values.ndim == 3 else 1)


def ask_lightgbm(name):
    folder = "lightgbm/" + name
    booster = lgb.Booster(model_file=str(ROOT / folder / "model.txt"))
    rows = numbers(folder, np.float64)
    values = booster.predict(rows, pred_contrib=True, num_threads=1)
    write(folder, values, booster.num_model_per_iteration())


def ask_catboost(name):
    folder = "catboost/" + name
    booster = cb.CatBoost()
    booster.load_model(str(ROOT / folder / "model.json"), format="json")
    texts = cells(folder)
    columns = {}
    categories = booster.get_cat_feature_indices()
    for place, column in enumerate(texts[0]):
        values = [row[place] for row in texts[1:]]
        columns[column] = (values if place in categories
                           else np.array([float(v) if v else np.nan for v in values], np.float32))
    pool = cb.Pool(pd.DataFrame(columns), cat_features=categories)
    values = booster.get_feature_importance(pool, type="ShapValues", thread_count=1)
    write(folder, values, values.shape[1] if values.ndim == 3 else 1)


def main():
    for ask, names in [(ask_xgboost, XGBOOST), (ask_lightgbm, LIGHTGBM), (ask_catboost, CATBOOST)]:
        for name in names:
            ask(name)


if __name__ == "__main__":
    main()
