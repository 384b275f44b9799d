#!/usr/bin/env python3
"""Makes the LightGBM fixtures: small models, rows, and what the library itself makes of them.

    python make.py            with lightgbm 4.7.0 installed: the models of today, text version 4
    python make.py            with 3.3.5: that version's layout, text version 3; after it, with
                              4.7.0: `make.py score`, for the scores of today

Each fixture is a folder lightgbm/<name> with
    model.txt         as the library saved it
    rows.csv          the inputs by name, in 17 digits; an empty cell is a missing value
    expected.ndjson   one line a row: the library's raw score and its prediction, as doubles
    expected-*.ndjson the same for another choice of iterations: best
    texts.csv         where the inputs are text: the same rows before the data frame's codes

Only seeded numbers and one thread: made again with the same version, the files are the same.
"""

import csv
import json
import pathlib
import re
import shutil
import sys

import lightgbm as lgb
import numpy as np
import pandas as pd

IS_CURRENT = lgb.__version__ == "4.7.0"
PREFIX = "" if IS_CURRENT else "layout-" + ".".join(lgb.__version__.split(".")[:2]) + "-"
ROOT = pathlib.Path(__file__).parent
ROW_COUNT = 60


def data(seed, inputs=4, rows=400, missing=0.1):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, inputs))
    signal = x[:, 0] - 0.7 * x[:, 1 % inputs] + np.sin(2 * x[:, 2 % inputs])
    signal = signal + 0.3 * random.normal(size=rows)
    x[random.random(x.shape) < missing] = np.nan
    return random, x, signal


def parameters(objective, **more):
    chosen = {"objective": objective, "num_leaves": 7, "learning_rate": 0.3, "seed": 7,
              "num_threads": 1, "verbosity": -1, "min_data_in_leaf": 5, "deterministic": True,
              "force_row_wise": True}
    chosen.update(more)
    return chosen


# What is asked of a model


def arrays(model, key, kind=float):
    return [[kind(v) for v in line.split()] for line in re.findall(rf"^{key}=(.*)$", model, re.M)]


def thresholds(model):
    """(feature, threshold) of every numeric split."""
    found = []
    for features, values, types in zip(arrays(model, "split_feature", int),
                                       arrays(model, "threshold"),
                                       arrays(model, "decision_type", int)):
        found += [(f, v) for f, v, t in zip(features, values, types) if t & 1 == 0]
    return found


def edge_rows(model, x, categorical, largest):
    """The training rows with: nothing known, infinities, zeros, what counts as zero and what no
    longer does, thresholds, the doubles next to them and the floats nearest to them, and category
    codes that no training saw."""
    base = x[:ROW_COUNT].copy()
    tiny = float(np.float32(1e-35))
    row = 20
    for value in [np.nan, largest, -largest, 0.0, -0.0, 5e-324, -5e-324, tiny, -tiny,
                  np.nextafter(tiny, 1), np.nextafter(-tiny, -1), min(largest, 1.7e308)]:
        base[row] = value
        row += 1
    for at in range(min(4, x.shape[1])):
        base[row, at] = np.nan
        base[row + 1, at] = 0.0
        row += 2
    numeric = [(f, t) for f, t in thresholds(model) if f not in categorical and abs(t) < 1e300]
    step = max(1, len(numeric) // 4)
    for feature, threshold in numeric[::step][:4]:
        for value in [threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf),
                      float(np.float32(threshold))]:
            base[row % ROW_COUNT, feature] = value
            row += 1
    for feature in categorical:
        codes = [np.nan, -1, -0.5, -0.0, 0.5, 2.7, 3.999, 31, 32, 33, 64, 99, 16777216, 2147483647]
        for at, code in enumerate(codes):
            base[at, feature] = code
    return base


# What is written


def text(value):
    value = float(value)
    return "" if np.isnan(value) else "%.17g" % value


def write_expected(path, booster, rows, **choice):
    both = [booster.predict(rows, raw_score=raw, num_threads=1, **choice) for raw in (True, False)]
    with open(path, "w") as file:
        for pair in zip(*both):
            lists = tuple(",".join(map(text, np.atleast_1d(v))) for v in pair)
            assert all(np.isfinite(v).all() for v in pair)
            file.write('{"margin":[%s],"score":[%s]}\n' % lists)


def save(name, booster, x, categorical=(), edit=None, largest=np.inf, **saving):
    folder = ROOT / (PREFIX + name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / "model.txt"
    booster.save_model(str(path), **saving)
    model = path.read_text()
    if edit:
        # The library takes its own sizes at their word.
        model = edit(re.sub(r"^tree_sizes=.*\n", "", model, flags=re.M))
        path.write_bytes(model.encode())
    rows = edge_rows(model, x, categorical, largest)
    names = re.search(r"^feature_names=(.*)$", model, re.M).group(1).split()
    with open(folder / "rows.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([[text(v) for v in row] for row in rows])
    write_expected(folder / "expected.ndjson", lgb.Booster(model_file=str(path)), rows)
    return model


def train(name, objective, x, label, rounds=6, group=None, **more):
    kept = {k: more.pop(k) for k in ("categorical", "edit", "largest") if k in more}
    names = more.pop("names", "auto")
    dataset = lgb.Dataset(x, label, group=group, feature_name=names, params={"verbosity": -1},
                          categorical_feature=list(kept.get("categorical", ())))
    booster = lgb.train(parameters(objective, **more), dataset, rounds)
    return save(name, booster, x, **kept)


# The fixtures


def regressions():
    _, x, signal = data(1)
    positive = np.exp(0.5 * signal)
    for objective in ["regression", "regression_l1", "huber", "fair", "quantile", "mape"]:
        train(objective, objective, x, signal, alpha=0.8)
    for objective in ["regression", "regression_l1", "fair", "quantile"]:
        model = train(objective + "-sqrt", objective, x, 3 * signal, reg_sqrt=True)
        assert f"objective={objective} sqrt" in model
    train("huber-sqrt", "huber", x, signal, reg_sqrt=True)
    train("poisson", "poisson", x, np.floor(positive))
    train("gamma", "gamma", x, positive)
    train("tweedie", "tweedie", x, np.maximum(positive - 1, 0), tweedie_variance_power=1.3)
    chance = 1 / (1 + np.exp(-signal))
    train("cross-entropy", "cross_entropy", x, chance)
    train("cross-entropy-lambda", "cross_entropy_lambda", x, chance)
    model = train("own-objective", squares, x, signal)
    assert "\nobjective=" not in model
    train("unbalanced-deep", "regression", x, signal**3, num_leaves=63, min_data_in_leaf=1)


def squares(predictions, dataset):
    """An objective of the caller's own, of which the file says nothing."""
    return predictions - dataset.get_label(), np.ones(len(predictions))


def classifications():
    random, x, signal = data(2)
    label = (signal > 0.4).astype(int)
    train("binary", "binary", x, label, rounds=10)
    train("binary-sigmoid", "binary", x, label, sigmoid=0.37)
    train("binary-strong", "binary", x, label, learning_rate=900, lambda_l2=0)
    classes = np.digitize(signal, [-1, 0.5])
    train("multiclass", "multiclass", x, classes, num_class=3)
    train("multiclassova", "multiclassova", x, classes, num_class=3, sigmoid=1.7)
    train("multiclass-wide", "multiclass", x, random.integers(0, 11, len(x)), num_class=11,
          rounds=2)


def rankings():
    _, x, signal = data(3)
    relevance = np.digitize(signal, [-1, 0, 1])
    for objective in ["lambdarank", "rank_xendcg"]:
        train(objective, objective, x, relevance, group=[40] * 10)


def missing_kinds():
    """None, zero and NaN, which a file has as decision types 0 to 10."""
    random, x, signal = data(4, missing=0.25)
    model = train("missing-nan", "regression", x, signal)
    assert {8, 10} & {t for ts in arrays(model, "decision_type", int) for t in ts}
    train("missing-none", "regression", x, signal, use_missing=False)
    full = random.normal(size=x.shape)
    model = train("missing-none-seen", "regression", full, full[:, 0] - full[:, 1])
    assert {t for ts in arrays(model, "decision_type", int) for t in ts} <= {0, 2}
    x[random.random(x.shape) < 0.3] = 0
    signal = np.nan_to_num(x[:, 0]) + (x[:, 1] == 0) - 2 * (x[:, 2] == 0) * np.nan_to_num(x[:, 3])
    model = train("missing-zero", "regression", x, signal, zero_as_missing=True)
    assert {4, 6} & {t for ts in arrays(model, "decision_type", int) for t in ts}


def categories():
    random, x, signal = data(5)
    x[:, 1] = random.integers(0, 5, len(x))
    x[:, 3] = random.integers(0, 70, len(x))
    x[random.random(len(x)) < 0.1, 3] = np.nan
    label = signal + np.isin(x[:, 1], [1, 3]) + 2 * (x[:, 3] % 3 == 0)
    model = train("categories", "regression", x, label, categorical=(1, 3), cat_smooth=1,
                  min_data_per_group=5, max_cat_to_onehot=2)
    assert any(len(words) > 2 for words in arrays(model, "cat_threshold", int))
    train("categories-one-hot", "binary", x, label > 1.5, categorical=(1, 3), cat_smooth=1,
          min_data_per_group=5, max_cat_to_onehot=100)
    train("categories-missing-none", "regression", x, label, categorical=(1, 3), cat_smooth=1,
          min_data_per_group=5, use_missing=False)


def linear_trees():
    random, x, signal = data(6)
    curve = np.nan_to_num(x[:, 0]) ** 2 + 2 * np.nan_to_num(x[:, 1]) + signal
    model = train("linear", "regression", x, curve, linear_tree=True, largest=1e9,
                  linear_lambda=0.01)
    assert "is_linear=1" in model and any(n > 1 for ns in arrays(model, "num_features", int)
                                          for n in ns)
    train("linear-binary", "binary", x, curve > 1, linear_tree=True, largest=1e9, linear_lambda=0.1)
    x[:, 3] = random.integers(0, 9, len(x))
    train("linear-categories", "regression", x, curve + x[:, 3] % 3, linear_tree=True, largest=1e9,
          categorical=(3,), cat_smooth=1, min_data_per_group=5)


def shapes():
    _, x, signal = data(7)
    classes = np.digitize(signal, [-1, 0.5])
    bagging = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6,
               "feature_fraction": 0.7}
    for name, objective, label in [("rf-binary", "binary", signal > 0),
                                   ("rf-regression", "regression", signal)]:
        assert "\naverage_output\n" in train(name, objective, x, label, rounds=7, **bagging)
    train("rf-multiclass", "multiclass", x, classes, rounds=7, num_class=3, **bagging)
    train("dart", "binary", x, signal > 0, rounds=12, boosting="dart", drop_rate=0.5)
    train("goss", "regression", x, signal, data_sample_strategy="goss")
    train("dart-multiclass", "multiclass", x, classes, num_class=3, boosting="dart",
          drop_rate=0.5)
    train("constant", "regression", x, np.full(len(x), 2.5))
    train("constant-binary", "binary", x, signal > 2, min_data_in_leaf=500)
    wide = np.random.default_rng(8).normal(size=(300, 40))
    train("many-inputs", "regression", wide, wide[:, 3] * wide[:, 39] + wide[:, 17])
    train("names", "regression", x, signal, names=["delay", "größe", "two words", "a=b"])
    train("monotone", "regression", x, signal, monotone_constraints=[1, -1, 0, 0])
    train("windows-lines", "regression", x, signal, rounds=2,
          edit=lambda model: model.replace("\n", "\r\n"))


def edges():
    """Thresholds at zero, near it, at large numbers and at infinity."""
    random = np.random.default_rng(9)
    tiny = random.integers(-5, 6, 400) * 1e-33
    huge = np.where(random.random(400) < 0.3, np.inf, random.normal(size=400) * 1e300)
    x = np.stack([random.integers(-1, 2, 400), tiny, huge, random.integers(0, 2, 400)], 1)
    signal = x[:, 0] + (tiny > 0) - 2 * (huge > 1e299) + (tiny >= 3e-33) * x[:, 3]
    train("edges", "regression", x, signal, num_leaves=15)
    train("edges-zero-missing", "regression", x, signal, num_leaves=15, zero_as_missing=True)
    _, x, signal = data(10)
    model = train("threshold-inf", "regression", x, signal, rounds=3, edit=with_infinity)
    assert "inf" in model


def with_infinity(model):
    """As versions before 3.3 could write it: everything goes left (or right)."""
    first = [True]

    def replace(match):
        words = match.group(1).split()
        words[1] = "inf" if first[0] else "-inf"
        first[0] = False
        return "threshold=" + " ".join(words)
    return re.sub(r"^threshold=(.*)$", replace, model, flags=re.M)


def early_stopping():
    random, x, signal = data(11)
    label = (signal > 0).astype(int)
    held_out = np.where(np.arange(130) % 5 == 0, 1 - label[270:], label[270:])
    train_set = lgb.Dataset(x[:270], label[:270], params={"verbosity": -1})
    booster = lgb.train(parameters("binary"), train_set, 40,
                        valid_sets=[lgb.Dataset(x[270:], held_out, reference=train_set)],
                        keep_training_booster=True,
                        callbacks=[lgb.early_stopping(6, verbose=False)])
    assert 1 < booster.best_iteration < booster.current_iteration()
    model = save("early-stopped", booster, x)
    assert model.count("Tree=") == booster.best_iteration
    save("early-stopped-all", booster, x, num_iteration=-1)


def data_frames():
    """Columns of text and of numbers as categories, in an order of the frame's own."""
    random, x, signal = data(12)
    frame = pd.DataFrame({"delay": x[:, 0], "carrier": random.choice(["UA", "DL", "ÉÉ", ""], 400),
                          "distance": x[:, 2], "gate": random.choice([7, 30, 12], 400)})
    frame["carrier"] = pd.Categorical(frame["carrier"], ["UA", "", "ÉÉ", "DL", "never"])
    frame["gate"] = pd.Categorical(frame["gate"], [30, 7, 12])
    label = signal + (frame["carrier"] == "ÉÉ") * 2 - (frame["gate"] == 12) * 1.5
    booster = lgb.train(
        parameters("regression", cat_smooth=1, min_data_per_group=5, max_cat_to_onehot=1),
        lgb.Dataset(frame, label, params={"verbosity": -1}), 6)
    codes = frame.copy()
    for column in ["carrier", "gate"]:
        codes[column] = frame[column].cat.codes
    model = save("data-frame", booster, codes.to_numpy(np.float64), categorical=(1, 3))
    assert "pandas_categorical:[[" in model
    path = ROOT / (PREFIX + "data-frame")
    texts = frame[:ROW_COUNT].astype(object)
    texts.loc[3:8, "carrier"] = "unseen"
    texts.loc[6:9, "gate"] = 99
    texts.to_csv(path / "texts.csv", index=False, lineterminator="\n")
    asked = texts.copy()
    asked["carrier"] = pd.Categorical(texts["carrier"])
    asked["gate"] = pd.Categorical(texts["gate"])
    asked[["delay", "distance"]] = texts[["delay", "distance"]].astype(float)
    write_expected(path / "expected-texts.ndjson", booster, asked)


def category_columns():
    """Columns of categories that are not the inputs which the training takes for categories: ordered
    ones, which are plain numbers to it, and columns of codes that the caller names."""
    random, x, signal = data(14)
    carrier = random.choice(["UA", "DL", "AA"], 400)
    gate = random.choice([7, 30, 12], 400)
    code = random.integers(0, 6, 400)
    label = signal + (carrier == "DL") * 2 - (gate == 12) * 1.5 + (code % 3 == 1)

    def make(name, frame, columns, named, categorical):
        booster = lgb.train(
            parameters("regression", cat_smooth=1, min_data_per_group=5, max_cat_to_onehot=1),
            lgb.Dataset(frame, label, categorical_feature=named, params={"verbosity": -1}), 6)
        codes = frame.copy()
        for column in columns:
            codes[column] = frame[column].cat.codes
        save(name, booster, codes.to_numpy(np.float64), categorical=categorical)
        texts = frame[:ROW_COUNT].astype(object)
        texts.loc[3:8, "carrier"] = "unseen"
        texts.to_csv(ROOT / name / "texts.csv", index=False, lineterminator="\n")
        asked = texts.astype({"delay": float, "distance": float, "gate": int})
        for column in columns:
            asked[column] = pd.Categorical(texts[column])
        write_expected(ROOT / name / "expected-texts.ndjson", booster, asked)

    order = pd.Categorical(carrier, ["UA", "DL", "AA"], ordered=True)
    gates = pd.Categorical(gate, [30, 7, 12], ordered=True)
    make("ordered-categories", pd.DataFrame({
        "delay": x[:, 0], "carrier": order, "distance": x[:, 2], "gate": gates}),
        ["carrier", "gate"], "auto", ())
    words = pd.Categorical(carrier, ["UA", "DL", "AA"])
    frame = pd.DataFrame({"delay": x[:, 0], "carrier": words, "distance": x[:, 2], "gate": code})
    make("categories-and-codes", frame, ["carrier"], ["carrier", "gate"], (1, 3))
    make("codes-beside-categories", frame, ["carrier"], ["gate"], (3,))


def past_layouts():
    """One of each kind that an older version writes in its own way."""
    random, x, signal = data(13)
    train("binary", "binary", x, signal > 0)
    train("multiclass", "multiclass", x, np.digitize(signal, [-1, 0.5]), num_class=3, rounds=3)
    train("rf", "regression", x, signal, boosting="rf", bagging_freq=1, bagging_fraction=0.6)
    train("linear", "regression", x, signal, linear_tree=True, largest=1e9, rounds=3)
    x[:, 1] = random.integers(0, 40, len(x))
    train("categories", "regression", x, signal + x[:, 1] % 3, categorical=(1,), cat_smooth=1,
          min_data_per_group=5)


def score_past_layouts():
    for folder in sorted(ROOT.glob("layout-*")):
        with open(folder / "rows.csv") as file:
            lines = list(csv.reader(file))[1:]
        rows = np.array([[float(v or "nan") for v in line] for line in lines])
        booster = lgb.Booster(model_file=str(folder / "model.txt"))
        write_expected(folder / "expected.ndjson", booster, rows)


def main():
    if sys.argv[1:] == ["score"]:
        score_past_layouts()
    elif IS_CURRENT:
        for make in [regressions, classifications, rankings, missing_kinds, categories,
                     linear_trees, shapes, edges, early_stopping, data_frames,
                     category_columns]:
            make()
    else:
        past_layouts()
    size = sum(f.stat().st_size for f in ROOT.rglob("*") if f.is_file())
    print(lgb.__version__, len(list(ROOT.iterdir())), "fixtures,", size, "bytes")


if __name__ == "__main__":
    main()
