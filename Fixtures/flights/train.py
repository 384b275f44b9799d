"""Train the model of rtinfer.json, late_arrival: will the flight arrive more than 15 minutes late?

The rows are the training set that rtinfer made of the year, so a feature has the value that it had, or would
have had, when the question was asked. The label comes from the `arrived` events, joined by id; a flight that
never arrived (cancelled, diverted) has no label and is left out.

The months are cut in the order of time, as the model would be used: it learns from January to July, August says
when to stop adding trees, and September to December test it. A second model, of the request's own inputs alone,
shows what the windowed features are worth. It is only measured, not kept.

The file that is saved holds the trees up to the best round and no others, so that every reader computes the
same sum. One thread and a fixed seed make the training repeatable.
"""
import argparse
import json
import pathlib

import pandas as pd
import xgboost
from sklearn.metrics import roc_auc_score

import project as projects

LATE = 15  # minutes
LARGEST = 1_000_000  # bytes
PARAMETERS = {"objective": "binary:logistic", "eval_metric": "auc", "tree_method": "hist", "max_depth": 5,
              "eta": 0.1, "min_child_weight": 20, "subsample": 0.8, "colsample_bytree": 0.8,
              "nthread": 1, "seed": 1}
ROUNDS, PATIENCE = 180, 20


def read_rows(training, arrived, columns):
    """The rows with a label, their New York month, and the number of rows without one."""
    rows = pd.read_csv(training, keep_default_na=False, na_values=[""],
                       usecols=["id", "sched_dep", *columns], dtype={name: "float64" for name in columns})
    with open(arrived, encoding="utf-8") as file:
        delays = {event["id"]: event["arr_delay"] for event in map(json.loads, file)}
    rows["delay"] = rows.id.map(delays)
    labelled = rows[rows.delay.notna()].copy()
    if labelled.id.duplicated().any():
        raise SystemExit("an id is twice in the training set")
    labelled["late"] = (labelled.delay > LATE).astype(int)
    departs = pd.to_datetime(labelled.sched_dep, utc=True).dt.tz_convert("America/New_York")
    labelled["month"] = departs.dt.month
    return labelled, len(rows) - len(labelled)


def matrix(rows, columns):
    return xgboost.DMatrix(rows[columns], label=rows.late, nthread=PARAMETERS["nthread"])


def train(fit, tune, columns):
    booster = xgboost.train(PARAMETERS, matrix(fit, columns), num_boost_round=ROUNDS,
                            evals=[(matrix(tune, columns), "tune")], early_stopping_rounds=PATIENCE,
                            verbose_eval=False)
    best = booster[:booster.best_iteration + 1]
    best.set_attr(best_iteration=None, best_score=None)
    return best


def auc(booster, rows, columns):
    if rows.late.nunique() < 2:
        return None  # not defined
    return round(roc_auc_score(rows.late, booster.predict(matrix(rows, columns))), 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", metavar="TRAINING.csv", help="the training set that rtinfer made")
    parser.add_argument("arrived", metavar="arrived.ndjson", help="the events with the labels (see make.py)")
    parser.add_argument("--model", required=True, type=pathlib.Path, help="where to write the model")
    parser.add_argument("--report", required=True, type=pathlib.Path, help="where to write what was measured")
    parser.add_argument("--project", default=pathlib.Path(__file__).with_name("rtinfer.json"),
                        help="names the inputs (default: rtinfer.json beside this script)")
    options = parser.parse_args()

    inputs = projects.read(options.project)["models"]["late_arrival"]["inputs"]
    columns = [projects.column(name) for name in inputs]
    own = [name for name in inputs if projects.column(name) == name]  # not of a view
    rows, unlabelled = read_rows(options.training, options.arrived, columns)
    print(f"{len(rows)} flights arrived; {unlabelled} did not and are left out")
    fit, tune, test = rows[rows.month <= 7], rows[rows.month == 8], rows[rows.month >= 9]
    for name, part in (("January to July", fit), ("August", tune), ("September to December", test)):
        if part.late.nunique() < 2:
            raise SystemExit(f"{name}: {len(part)} flights, but flights on time and late ones are needed")

    model, own_model = train(fit, tune, columns), train(fit, tune, own)
    model.save_model(options.model)
    size = options.model.stat().st_size
    report = {
        "xgboost": xgboost.__version__,
        "trees": model.num_boosted_rounds(),
        "bytes": size,
        "flights": {"fit": len(fit), "tune": len(tune), "test": len(test), "without_arrival": unlabelled},
        "late_share": {"fit": round(fit.late.mean(), 4), "tune": round(tune.late.mean(), 4),
                       "test": round(test.late.mean(), 4)},
        "auc": {"all_inputs": auc(model, test, columns), "own_inputs": auc(own_model, test, own),
                "own_trees": own_model.num_boosted_rounds()},
        "auc_by_month": {month: {"flights": len(part), "late_share": round(part.late.mean(), 4),
                                 "all_inputs": auc(model, part, columns), "own_inputs": auc(own_model, part, own)}
                         for month, part in test.groupby("month")},
    }
    options.report.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))
    if size >= LARGEST:
        raise SystemExit(f"{options.model} has {size} bytes, and the repository takes less than {LARGEST}")


if __name__ == "__main__":
    main()
