#!/usr/bin/env python3
"""Makes the MLflow folders: models of two libraries as MLflow itself saves them.

    python make.py      with mlflow 3.17.2, xgboost 3.2.0 and lightgbm 4.7.0 installed

Each fixture is a folder <flavour>-<name> with
    model/              as mlflow.xgboost.save_model or mlflow.lightgbm.save_model wrote it
    rows.csv            the inputs by name; an empty cell is a missing value
    expected.ndjson     one line a row: what the model that MLflow loads again predicts

Of what MLflow writes only times and identifiers differ from run to run.
"""

import json
import pathlib
import shutil

import lightgbm as lgb
import mlflow
import numpy as np
import pandas as pd
import xgboost as xgb

ROOT = pathlib.Path(__file__).parent
NAMES = ["distance", "delay", "load", "hour"]


def data(classes):
    random = np.random.default_rng(11)
    x = random.normal(size=(300, 4)).astype(np.float32)
    signal = x[:, 0] - 0.7 * x[:, 1] + np.sin(2 * x[:, 2]) + 0.3 * random.normal(size=300)
    x[random.random(x.shape) < 0.1] = np.nan
    labels = np.digitize(signal, [0.0] if classes == 2 else [-0.7, 0.7])
    return pd.DataFrame(x, columns=NAMES), labels


def write(name, frame, save, predict):
    folder = ROOT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    save(str(folder / "model"))
    rows = frame.head(40)
    rows.to_csv(folder / "rows.csv", index=False, float_format="%.9g")
    # What was written is what is read: the nine digits hold a 32-bit float exactly.
    rows = pd.read_csv(folder / "rows.csv").astype(np.float32)
    scores = np.asarray(predict(str(folder / "model"), rows))
    with open(folder / "expected.ndjson", "w") as file:
        for score in scores:
            file.write(json.dumps({"score": np.asarray(score, dtype=float).ravel().tolist()}) + "\n")


def xgboost_fixture(name, classes, model_format):
    frame, labels = data(classes)
    chosen = {"max_depth": 3, "eta": 0.4, "seed": 7, "nthread": 1, "tree_method": "hist"}
    chosen |= ({"objective": "binary:logistic"} if classes == 2
               else {"objective": "multi:softprob", "num_class": classes})
    booster = xgb.train(chosen, xgb.DMatrix(frame, labels), num_boost_round=8)
    example = frame.head(3)
    write(name, frame,
          lambda path: mlflow.xgboost.save_model(
              booster, path, model_format=model_format, input_example=example),
          lambda path, rows: mlflow.xgboost.load_model(path).predict(xgb.DMatrix(rows)))


def lightgbm_fixture(name, classes):
    frame, labels = data(classes)
    chosen = {"num_leaves": 7, "learning_rate": 0.3, "seed": 7, "num_threads": 1, "verbose": -1,
              "deterministic": True}
    chosen |= ({"objective": "binary"} if classes == 2
               else {"objective": "multiclass", "num_class": classes})
    booster = lgb.train(chosen, lgb.Dataset(frame, labels), num_boost_round=8)
    write(name, frame,
          lambda path: mlflow.lightgbm.save_model(booster, path, input_example=frame.head(3)),
          lambda path, rows: mlflow.lightgbm.load_model(path).predict(rows))


xgboost_fixture("xgboost-json", 2, "json")
xgboost_fixture("xgboost-ubj", 3, "ubj")
lightgbm_fixture("lightgbm-binary", 2)
lightgbm_fixture("lightgbm-multiclass", 3)
