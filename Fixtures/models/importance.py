#!/usr/bin/env python3
"""Asks the libraries for the importance of the inputs of some fixtures' models.

    python importance.py      with xgboost 3.2, lightgbm 4.7 and catboost 1.2.10 installed

Writes <format>/<name>/importance.json: by measure, one number for each input, in their order.
"""

import json
import pathlib

import catboost as cb
import lightgbm as lgb
import xgboost as xgb

ROOT = pathlib.Path(__file__).parent
XGBOOST = ["names", "boosted-forest", "data-frame", "categories-partition", "vector-leaf", "dart",
           "early-stopped-sklearn", "pruned", "gblinear"]
LIGHTGBM = ["data-frame", "multiclass", "linear", "categories", "constant", "unbalanced-deep"]
CATBOOST = ["logloss", "multiclass", "nan-max", "one-hot", "ctr", "ctr-combinations", "lossguide",
            "depthwise", "lossguide-multiclass", "ctr-unbalanced", "scale-and-bias"]


def write(folder, measures):
    text = ",\n".join("  %s: %s" % (json.dumps(k), json.dumps([float("%.17g" % v) for v in values]))
                      for k, values in measures.items())
    (ROOT / folder / "importance.json").write_text("{\n%s\n}\n" % text)


def main():
    for name in XGBOOST:
        folder = "xgboost-json/" + name
        booster = xgb.Booster(model_file=str(ROOT / folder / "model.json"))
        names = booster.feature_names or ["f%d" % i for i in range(booster.num_features())]
        kinds = ["weight", "gain", "cover", "total_gain", "total_cover"]
        measures = {}
        for kind in kinds[:1] if name == "gblinear" else kinds:
            scores = booster.get_score(importance_type=kind)
            measures[kind] = [scores.get(n, 0) for n in names]
        write(folder, measures)
    for name in LIGHTGBM:
        folder = "lightgbm/" + name
        booster = lgb.Booster(model_file=str(ROOT / folder / "model.txt"))
        write(folder, {kind: booster.feature_importance(kind) for kind in ["split", "gain"]})
    for name in CATBOOST:
        folder = "catboost/" + name
        booster = cb.CatBoost()
        booster.load_model(str(ROOT / folder / "model.json"), format="json")
        kind = "PredictionValuesChange"
        write(folder, {kind: booster.get_feature_importance(type=kind)})


if __name__ == "__main__":
    main()
