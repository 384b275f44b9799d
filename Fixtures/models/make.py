#!/usr/bin/env python3
"""Makes the XGBoost fixtures: small models, rows, and what the library itself makes of them.

    python make.py            with xgboost 3.2.0 installed: the models of today
    python make.py            with 1.0.2, 1.2.1, 1.7.6, 2.1.4, 3.0.5 or 3.1.3: that version's
                              layout; 1.7.6 after the older two, whose files it scores

Each fixture is a folder xgboost-json/<name>, or xgboost-ubjson/<name>, with
    model.json        as the library saved it; or model.ubj
    rows.csv          the inputs by name; an empty cell is a missing value
    expected.ndjson   one line a row: the library's margin and score, as 32-bit floats in 9 digits
    expected-*.ndjson the same for another choice of iterations: all or best; or then, what the
                      writing library gave, where later ones add in another order: up to 1.2 the
                      trees were summed before the base score came to them

Only seeded numbers and one thread: made again with the same version, the files are the same.
"""

import csv
import json
import pathlib
import shutil

import numpy as np
import pandas as pd
import xgboost as xgb

VERSION = xgb.__version__
IS_CURRENT = VERSION == "3.2.0"
# Without categories, and infinities can only be asked of a DMatrix, which later versions refuse.
IS_FIRST = VERSION in ("1.0.2", "1.2.1")
PREFIX = "" if IS_CURRENT else "layout-" + ".".join(VERSION.split(".")[:2]) + "-"
ROOT = pathlib.Path(__file__).parent / "xgboost-json"
ROW_COUNT = 50
NAN = np.float32("nan")


def data(seed, inputs=4, rows=300, missing=0.1):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, inputs)).astype(np.float32)
    signal = x[:, 0] - 0.7 * x[:, 1 % inputs] + np.sin(2 * x[:, 2 % inputs])
    signal = signal + 0.3 * random.normal(size=rows)
    x[random.random(x.shape) < missing] = NAN
    return random, x, signal


def parameters(objective, **more):
    chosen = {"objective": objective, "max_depth": 3, "eta": 0.4, "seed": 7, "nthread": 1,
              "tree_method": "hist"}
    chosen.update(more)
    return chosen


# What is asked of a model


def core_model(model):
    booster = model["learner"]["gradient_booster"]
    return booster.get("gbtree", booster)["model"]


def thresholds(model):
    """(feature, threshold) of every numeric split."""
    found = []
    for tree in core_model(model)["trees"]:
        types = tree.get("split_type") or [0] * len(tree["left_children"])
        for node, left in enumerate(tree["left_children"]):
            if left != -1 and types[node] == 0 and tree["parents"][node] != -1:
                threshold = np.float32(tree["split_conditions"][node])
                found.append((tree["split_indices"][node], threshold))
    return found


def edge_rows(model, x, categorical):
    """The training rows with: nothing known, infinities, zeros, denormals, thresholds and the
    floats next to them, and category codes that no training saw."""
    base = x[: ROW_COUNT].copy()
    inputs = x.shape[1]
    row = 20
    with np.errstate(under="ignore"):
        denormal = np.float32(1.4e-45)
    for value in [NAN, np.inf, -np.inf, 0.0, -0.0, denormal, -denormal, np.finfo(np.float32).max]:
        base[row] = value
        row += 1
    numeric = [(f, t) for f, t in thresholds(model) if f not in categorical]
    step = max(1, len(numeric) // 4)
    for feature, threshold in numeric[::step][:4]:
        for value in [threshold, np.nextafter(threshold, np.float32(-np.inf)),
                      np.nextafter(threshold, np.float32(np.inf))]:
            base[row, feature] = value
            row += 1
    for feature in categorical:
        codes = [NAN, -1, -0.5, -0.0, 0.5, 2.7, 3.999, 31, 32, 33, 64, 99, 16777215, 16777216, 1e30,
                 np.inf]
        for at, code in enumerate(codes):
            base[at, feature] = code
    assert row <= ROW_COUNT and base.shape == (ROW_COUNT, inputs)
    return base


# What is written


def text(value):
    value = float(value)
    return "" if np.isnan(value) else "%.9g" % value


def write_expected(path, booster, rows, iterations=(0, 0), by_matrix=False):
    if IS_FIRST or by_matrix:
        margins = booster.predict(xgb.DMatrix(rows), output_margin=True)
        scores = booster.predict(xgb.DMatrix(rows))
    else:
        margins = booster.inplace_predict(rows, iteration_range=iterations, predict_type="margin")
        scores = booster.inplace_predict(rows, iteration_range=iterations)
    with open(path, "w") as file:
        for margin, score in zip(margins, scores):
            both = [np.atleast_1d(np.asarray(v, np.float32)).ravel() for v in (margin, score)]
            assert all(np.isfinite(v).all() for v in both)
            lists = tuple(",".join(map(text, values)) for values in both)
            file.write('{"margin":[%s],"score":[%s]}\n' % lists)


def check_matrix_agrees(booster, rows, types):
    """`predict` on a DMatrix, which takes no infinities, gives the same."""
    rows = rows[~np.isinf(rows).any(axis=1)]
    names = booster.feature_names
    matrix = xgb.DMatrix(rows, feature_names=names, feature_types=types or booster.feature_types)
    direct = booster.inplace_predict(rows, predict_type="margin", validate_features=False)
    assert np.array_equal(booster.predict(matrix, output_margin=True), direct)


def save(name, booster, x, categorical=(), choices=(), types=None, edit=None, default=(0, 0),
         by_matrix=False):
    folder = ROOT / (PREFIX + name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / "model.json"
    booster.save_model(str(path))
    model = json.loads(path.read_text())
    rows = x[:ROW_COUNT] if "weights" in core_model(model) else edge_rows(model, x, categorical)
    if by_matrix:
        rows = rows[~np.isinf(rows).any(axis=1)]
    core = booster.get_booster() if hasattr(booster, "get_booster") else booster
    if not IS_FIRST and not by_matrix:
        check_matrix_agrees(core, rows, types)
    if edit:
        edit(model)
        path.write_text(json.dumps(model, separators=(",", ":")))
    names = model["learner"].get("feature_names") or ["f%d" % i for i in range(x.shape[1])]
    with open(folder / "rows.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([[text(v) for v in row] for row in rows])
    plain = xgb.Booster(model_file=str(path), params={"nthread": 1})
    plain.feature_names = None
    then = "-then" if IS_FIRST else ""
    write_expected(folder / f"expected{then}.ndjson", plain, rows, default, by_matrix)
    for choice, iterations in choices:
        write_expected(folder / f"expected-{choice}.ndjson", plain, rows, iterations)
    return model


def train(name, objective, x, label, rounds=8, matrix=None, **more):
    kept = {k: more.pop(k) for k in ("categorical", "types", "edit", "by_matrix") if k in more}
    matrix = xgb.DMatrix(x, label) if matrix is None else matrix
    booster = xgb.train(parameters(objective, **more), matrix, rounds)
    return save(name, booster, x, **kept)


# The fixtures


def regressions():
    _, x, signal = data(1)
    positive = np.exp(0.5 * signal)
    train("squarederror", "reg:squarederror", x, signal)
    train("squarederror-base-given", "reg:squarederror", x, signal, base_score=-3.25)
    train("linear-alias", "reg:squarederror", x, signal, rounds=4, edit=rename("reg:linear"))
    train("squaredlogerror", "reg:squaredlogerror", x, positive)
    train("pseudohubererror", "reg:pseudohubererror", x, signal, huber_slope=1.5)
    train("absoluteerror", "reg:absoluteerror", x, signal)
    train("reg-logistic", "reg:logistic", x, 1 / (1 + np.exp(-signal)))
    train("gamma", "reg:gamma", x, positive)
    train("tweedie", "reg:tweedie", x, np.maximum(positive - 1, 0), tweedie_variance_power=1.3)
    train("poisson", "count:poisson", x, np.floor(positive))
    train("poisson-base-given", "count:poisson", x, np.floor(positive), base_score=0.3)
    train("cox", "survival:cox", x, np.where(signal > 0, positive, -positive))
    matrix = xgb.DMatrix(x)
    matrix.set_float_info("label_lower_bound", positive)
    matrix.set_float_info("label_upper_bound", np.where(signal > 1, np.inf, positive))
    train("aft", "survival:aft", x, None, matrix=matrix, aft_loss_distribution="normal")


def rename(objective):
    def edit(model):
        model["learner"]["objective"]["name"] = objective
    return edit


def classifications():
    random, x, signal = data(2)
    label = (signal > 0.4).astype(np.float32)
    train("binary-logistic", "binary:logistic", x, label, rounds=12)
    train("binary-logistic-base-given", "binary:logistic", x, label, base_score=0.01)
    train("binary-logistic-deep", "binary:logistic", x, label, max_depth=7, rounds=3)
    train("binary-logitraw", "binary:logitraw", x, label, base_score=0.3)
    train("binary-hinge", "binary:hinge", x, label)
    train("binary-strong", "binary:logistic", x, label, eta=30, rounds=6, reg_lambda=0)
    classes = np.digitize(signal, [-1, 0.5])
    train("softprob", "multi:softprob", x, classes, rounds=5, num_class=3)
    train("softmax", "multi:softmax", x, classes, rounds=5, num_class=3)
    train("softprob-base-given", "multi:softprob", x, classes, rounds=3, num_class=3,
          base_score=0.7)
    train("softprob-wide", "multi:softprob", x, random.integers(0, 11, len(x)), rounds=2,
          num_class=11, max_depth=2)


def rankings():
    _, x, signal = data(3)
    matrix = xgb.DMatrix(x, np.digitize(signal, [-1, 0, 1]))
    matrix.set_group([30] * 10)
    for objective in ["rank:pairwise", "rank:ndcg"]:
        train(objective.replace(":", "-"), objective, x, None, rounds=5, matrix=matrix)
    matrix.set_label((signal > 0).astype(np.float32))
    train("rank-map", "rank:map", x, None, rounds=5, matrix=matrix)


def shapes():
    _, x, signal = data(4)
    label = (signal > 0).astype(np.float32)
    classes = np.digitize(signal, [-1, 0.5])
    train("forest", "binary:logistic", x, label, rounds=1, num_parallel_tree=12,
          subsample=0.6, eta=1)
    model = train("boosted-forest", "multi:softprob", x, classes, rounds=2, num_parallel_tree=3,
                  num_class=3, subsample=0.7, colsample_bynode=0.6)
    assert model["learner"]["gradient_booster"]["model"]["tree_info"][:4] == [0, 0, 0, 1]
    targets = np.stack([signal, -2 * signal, signal**2], 1)
    train("multi-target", "reg:squarederror", x, targets, rounds=4)
    train("multi-label", "binary:logistic", x, np.stack([signal > 0, signal > 1], 1).astype(float),
          rounds=4)
    train("no-rounds", "binary:logistic", x, label, rounds=0, base_score=0.25)
    model = train("pruned", "reg:squarederror", x, signal, tree_method="exact", gamma=6,
                  max_depth=4)
    trees = model["learner"]["gradient_booster"]["model"]["trees"]
    assert any(int(t["tree_param"]["num_deleted"]) > 0 for t in trees)
    wide = np.random.default_rng(5).normal(size=(300, 40)).astype(np.float32)
    train("many-inputs", "reg:squarederror", wide, wide[:, 3] * wide[:, 39] + wide[:, 17], rounds=6)


def edges():
    """Thresholds at zero, at denormals and at large numbers."""
    random = np.random.default_rng(6)
    with np.errstate(under="ignore"):
        tiny = (random.integers(-5, 6, 300) * 1e-40).astype(np.float32)
    x = np.stack([random.integers(-1, 2, 300), tiny, random.normal(size=300) * 1e37,
                  random.integers(0, 2, 300)], 1).astype(np.float32)
    signal = x[:, 0] + (x[:, 1] > 0) - 2 * (x[:, 2] > 1e36) + (x[:, 1] >= 3e-40) * x[:, 3]
    model = train("edges", "reg:squarederror", x, signal, max_depth=4)
    found = {float(t) for _, t in thresholds(model)}
    assert 0.0 in found and any(0 < abs(t) < 1e-38 for t in found)


def categories():
    random, x, signal = data(7)
    x[:, 1] = random.integers(0, 5, len(x))
    x[:, 3] = random.integers(0, 70, len(x))
    x[random.random(len(x)) < 0.1, 3] = NAN
    label = (signal + np.isin(x[:, 1], [1, 3]) + 2 * (x[:, 3] % 3 == 0) > 1.5).astype(np.float32)
    types = ["q", "c", "q", "c"]
    for name, most_one_hot in [("partition", 1), ("one-hot", 100)]:
        matrix = xgb.DMatrix(x, label, feature_types=types, enable_categorical=True)
        model = train("categories-" + name, "binary:logistic", x, None, matrix=matrix, rounds=6,
                      max_depth=4, categorical=(1, 3), types=types,
                      max_cat_to_onehot=most_one_hot)
        trees = model["learner"]["gradient_booster"]["model"]["trees"]
        assert any(t["categories"] for t in trees)


def names():
    _, x, signal = data(8)
    feature_names = ["delay", "größe", "two words", "origin_traffic__mean_delay_1h"]
    matrix = xgb.DMatrix(x, signal, feature_names=feature_names,
                         feature_types=["float", "q", "int", "i"])
    train("names", "reg:squarederror", x, None, matrix=matrix, rounds=4)


def early_stopping():
    _, x, signal = data(9)
    label = (signal > 0).astype(np.float32)
    noise = np.random.default_rng(10).permutation(label[200:])
    more = {"max_depth": 3, "learning_rate": 0.4, "n_jobs": 1, "random_state": 7,
            "tree_method": "hist"}
    classifier = xgb.XGBClassifier(n_estimators=20, early_stopping_rounds=6, **more)
    held_out = np.where(np.arange(100) % 3 == 0, noise, label[200:])
    classifier.fit(x[:200], label[:200], eval_set=[(x[200:], held_out)], verbose=False)
    best = classifier.best_iteration
    assert 0 < best < classifier.get_booster().num_boosted_rounds() - 1
    save("early-stopped-sklearn", classifier, x, choices=[("all", (0, 0)), ("best", (0, best + 1))],
         default=(0, best + 1))
    booster = xgb.train(parameters("binary:logistic"), xgb.DMatrix(x[:200], label[:200]), 20,
                        evals=[(xgb.DMatrix(x[200:], held_out), "held")],
                        early_stopping_rounds=6, verbose_eval=False)
    best = booster.best_iteration
    assert 0 < best < booster.num_boosted_rounds() - 1
    save("early-stopped", booster, x, choices=[("best", (0, best + 1))])
    forest = xgb.XGBClassifier(n_estimators=6, early_stopping_rounds=3, num_parallel_tree=2, **more)
    classes = np.digitize(signal, [-1, 0.5])
    noise = np.random.default_rng(11).permutation(classes[200:])
    forest.fit(x[:200], classes[:200], eval_set=[(x[200:], noise)], verbose=False)
    best = forest.best_iteration
    assert best < forest.get_booster().num_boosted_rounds() - 1
    save("early-stopped-forest", forest, x, choices=[("all", (0, 0)), ("best", (0, best + 1))],
         default=(0, best + 1))


def boosters():
    """DART in both layouts, and linear models. `inplace_predict` knows no linear models, and up to
    3.3 it adds DART's trees in a way of its own, with the base score in and out for each."""
    _, x, signal = data(13)
    label = (signal > 0).astype(np.float32)
    classes = np.digitize(signal, [-1, 0.5])
    dropping = {"booster": "dart", "rate_drop": 0.4, "rounds": 12, "by_matrix": True}
    for name, edit in [("dart", None), ("dart-as-3.4", as_folded_dart)]:
        model = train(name, "binary:logistic", x, label, edit=edit, **dropping)
        weights = model["learner"]["gradient_booster"]
        weights = weights if edit is None else weights["model"]
        assert len({w for w in weights["weight_drop"] if w != 1}) > 1
    # This library would pass over the weights.
    shutil.copy(ROOT / "dart" / "expected.ndjson", ROOT / "dart-as-3.4")
    train("dart-forest", "multi:softprob", x, classes, num_class=3, num_parallel_tree=2,
          normalize_type="forest", **dropping)
    linear = {"booster": "gblinear", "by_matrix": True}
    train("gblinear", "reg:squarederror", x, signal, rounds=20, **linear)
    train("gblinear-logistic", "binary:logistic", x, label, updater="coord_descent", **linear)
    train("gblinear-softprob", "multi:softprob", x, classes, num_class=3, **linear)


def as_folded_dart(model):
    """As 3.4 and later write it; trees at the end may have no weight, which is 1."""
    booster = model["learner"]["gradient_booster"]
    folded = {"name": "gbtree", "model": booster["gbtree"]["model"]}
    weights = booster["weight_drop"]
    while weights[-1] == 1:
        weights.pop()
    folded["model"]["weight_drop"] = weights
    model["learner"]["gradient_booster"] = folded


def quantiles():
    _, x, signal = data(14)
    model = train("quantile", "reg:quantileerror", x, signal, quantile_alpha=[0.1, 0.5, 0.9])
    assert model["learner"]["learner_model_param"]["num_target"] == "3"
    train("quantile-one", "reg:quantileerror", x, signal, quantile_alpha=0.7)


def vector_leaves():
    _, x, signal = data(15)
    targets = np.stack([signal, -2 * signal, signal**2], 1)
    more = {"multi_strategy": "multi_output_tree", "rounds": 4}
    model = train("vector-leaf", "reg:squarederror", x, targets, **more)
    tree = model["learner"]["gradient_booster"]["model"]["trees"][0]
    assert tree["tree_param"]["size_leaf_vector"] == "3"
    assert ("leaf_weights" in tree) == IS_CURRENT
    train("vector-leaf-softprob", "multi:softprob", x, np.digitize(signal, [-1, 0.5]), num_class=3,
          **more)
    train("vector-leaf-labels", "binary:logistic", x,
          np.stack([signal > 0, signal > 1], 1).astype(float), num_parallel_tree=3, subsample=0.7,
          **more)


def data_frames():
    """Columns of texts and of numbers as categories, in an order of the frame's own."""
    random, x, signal = data(16)
    carriers = random.choice(["UA", "DL", "AA", ""], 300)
    gates = random.choice([7, 30, 12], 300)
    frame = pd.DataFrame({"delay": x[:, 0]})
    frame["carrier"] = pd.Categorical(carriers, ["UA", "", "AA", "DL", "never"])
    frame["distance"] = x[:, 2]
    frame["gate"] = pd.Categorical(gates, [30, 7, 12])
    label = signal + (carriers == "AA") * 2 - (gates == 12) * 1.5
    matrix = xgb.DMatrix(frame, label, enable_categorical=True)
    codes = frame.copy()
    for column in ["carrier", "gate"]:
        codes[column] = frame[column].cat.codes
    codes = codes.to_numpy(np.float32)
    types = ["float", "c", "float", "c"]
    booster = xgb.train(parameters("reg:squarederror", max_cat_to_onehot=1), matrix, 6)
    model = save("data-frame", booster, codes, categorical=(1, 3), types=types)
    assert len(model["learner"]["gradient_booster"]["model"]["cats"]["enc"]) == 4
    texts = frame[:ROW_COUNT].copy()
    texts["carrier"] = pd.Categorical(carriers[:ROW_COUNT])
    texts["gate"] = pd.Categorical(gates[:ROW_COUNT])
    texts.to_csv(ROOT / "data-frame" / "texts.csv", index=False, lineterminator="\n")
    write_expected(ROOT / "data-frame" / "expected-texts.ndjson", booster, texts)


def binary_files():
    """One of each kind as UBJSON too."""
    as_ubjson(["binary-logistic", "softprob-base-given", "categories-partition", "boosted-forest",
               "dart", "gblinear-softprob", "vector-leaf", "data-frame", "names", "pruned",
               "early-stopped-sklearn", "multi-target", "quantile", "no-rounds",
               "layout-2.1-softprob"])


def as_ubjson(names):
    """The same models in bytes."""
    for name in names:
        folder = ROOT.parent / "xgboost-ubjson" / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT / name, folder)
        (folder / "model.json").unlink()
        booster = xgb.Booster(model_file=str(ROOT / name / "model.json"))
        booster.save_model(str(folder / "model.ubj"))


def past_layouts():
    """One of each kind that an older version writes in its own way."""
    random, x, signal = data(12)
    label = (signal > 0).astype(np.float32)
    train("binary", "binary:logistic", x, label, rounds=6, base_score=0.3)
    train("softprob", "multi:softprob", x, np.digitize(signal, [-1, 0.5]), rounds=3, num_class=3,
          num_parallel_tree=2, subsample=0.7)
    if VERSION != "1.0.2":  # which writes a file of pruned trees that no version can read
        train("pruned", "reg:gamma", x, np.exp(0.5 * signal), rounds=5, tree_method="exact",
              gamma=3)
    if IS_FIRST:
        return
    if VERSION.startswith(("2.", "3.")):
        vector_leaves()
    if VERSION.startswith("3.1"):
        as_ubjson([PREFIX + "vector-leaf", PREFIX + "binary"])
        return
    train("logitraw", "binary:logitraw", x, label, rounds=2, base_score=0.3)
    train("absoluteerror", "reg:absoluteerror", x, signal, rounds=4)
    x[:, 1] = random.integers(0, 40, len(x))
    types = ["q", "c", "q", "q"]
    matrix = xgb.DMatrix(x, label + x[:, 1] % 3, feature_types=types, enable_categorical=True)
    train("categories", "reg:squarederror", x, None, matrix=matrix, rounds=4, categorical=(1,),
          types=types, max_cat_to_onehot=1)
    if VERSION.startswith("1."):
        train("as-1.0", "binary:logistic", x, label, rounds=6, edit=as_first_layout)
        score_first_layouts()


def score_first_layouts():
    for folder in sorted(ROOT.glob("layout-1.[02]-*")):
        with open(folder / "rows.csv") as file:
            lines = list(csv.reader(file))[1:]
        rows = np.array([[float(v or "nan") for v in line] for line in lines], np.float32)
        booster = xgb.Booster(model_file=str(folder / "model.json"), params={"nthread": 1})
        write_expected(folder / "expected.ndjson", booster, rows)


def as_first_layout(model):
    """As 1.0 to 1.2 wrote it: no categories, no names, directions as booleans."""
    learner = model["learner"]
    model["version"] = [1, 0, 0]
    for key in ["feature_names", "feature_types"]:
        del learner[key]
    for key in ["num_target", "boost_from_average"]:
        learner["learner_model_param"].pop(key, None)
    booster = learner["gradient_booster"]["model"]
    booster.pop("iteration_indptr", None)
    del booster["gbtree_model_param"]["num_parallel_tree"]
    for tree in booster["trees"]:
        for key in [k for k in tree if k.startswith("categories") or k == "split_type"]:
            del tree[key]
        tree["default_left"] = [bool(v) for v in tree["default_left"]]


def main():
    if IS_CURRENT:
        for make in [regressions, classifications, rankings, shapes, edges, categories, names,
                     early_stopping, boosters, quantiles, vector_leaves, data_frames,
                     binary_files]:
            make()
    else:
        past_layouts()
    size = sum(f.stat().st_size for f in ROOT.rglob("*") if f.is_file())
    print(VERSION, len(list(ROOT.iterdir())), "fixtures,", size, "bytes")


if __name__ == "__main__":
    main()
