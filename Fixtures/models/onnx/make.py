#!/usr/bin/env python3
"""Makes the ONNX fixtures: small models as the libraries export them, rows, and what ONNX Runtime
makes of them.

    python make.py      with onnxruntime 1.31.1, onnx 1.23.2, skl2onnx 1.20.0, onnxmltools 1.16.0,
                        scikit-learn 1.9.1, xgboost 3.2.0, lightgbm 4.7.0, catboost 1.2.10

Each fixture is a folder onnx/<name> with
    model.onnx        as the library exported it; edges-* are made by hand, for what no library here
                      exports
    rows.csv          the inputs by name; an empty cell is a missing value
    expected.ndjson   one line a row: the runtime's margin (the sums before post_transform, from the
                      same trees as a regressor, whose sums are not touched), its score, and of a
                      classifier the place of its label; 32-bit floats in 9 digits, doubles in 17

Of two classes with weights of one, or with weights ± w, the margin and the score are those of the
second class alone. One thread and seeded numbers: made again with the same versions, the files are
the same but for the names of graphs and the order of their opsets.
"""

import csv
import json
import pathlib
import shutil
import warnings

import catboost as cb
import lightgbm as lgb
import numpy as np
import onnx
import onnxmltools
import onnxruntime
import skl2onnx.common.tree_ensemble
import xgboost as xgb
from onnx import TensorProto, helper
from onnxmltools.convert.common.data_types import FloatTensorType as ToolsFloat
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (ExtraTreesClassifier, GradientBoostingClassifier,
                              GradientBoostingRegressor, HistGradientBoostingClassifier,
                              HistGradientBoostingRegressor, RandomForestClassifier,
                              RandomForestRegressor)
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

warnings.filterwarnings("ignore")
ROOT = pathlib.Path(__file__).parent
ROW_COUNT = 40
TREES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")


def data(seed, missing=0.0, dtype=np.float32):
    random = np.random.default_rng(seed)
    x = random.normal(size=(300, 4)).astype(dtype)
    signal = x[:, 0] - 0.7 * x[:, 1] + np.sin(2 * x[:, 2]) + 0.3 * random.normal(size=300)
    if missing:
        x[random.random(x.shape) < missing] = np.nan
    return x, signal, (signal > 0).astype(int), np.digitize(signal, [-0.7, 0.7])


# What the runtime makes of it


def ensemble(model):
    return next(node for node in model.graph.node if node.op_type in TREES)


def attributes(node):
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def class_count(given):
    return len(given.get("classlabels_int64s") or given.get("classlabels_strings") or ())


def as_regressor(model):
    """The same trees, whose sums are the outputs."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    node = ensemble(copy)
    given = attributes(node)
    count = class_count(given) or given.get("n_targets", 1)
    one = class_count(given) == 2 and len(set(given["class_ids"])) == 1
    if one:
        count = 1
    for attribute in list(node.attribute):
        if attribute.name.startswith("class_"):
            attribute.name = attribute.name.replace("class_", "target_")
        elif attribute.name.startswith("classlabels") or attribute.name in ("post_transform", "n_targets"):
            node.attribute.remove(attribute)
    node.attribute.append(helper.make_attribute("n_targets", count))
    node.op_type = "TreeEnsembleRegressor"
    del node.output[:]
    node.output.append("sums")
    del copy.graph.output[:]
    copy.graph.output.append(helper.make_tensor_value_info("sums", TensorProto.FLOAT, None))
    kept = list(copy.graph.node)[:list(copy.graph.node).index(node) + 1]
    del copy.graph.node[:]
    copy.graph.node.extend(kept)
    return copy


def mended(model):
    """skl2onnx says that trees with inputs of 64 bits give such scores too. The runtime's are of 32,
    and it refuses the file for that."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for port in copy.graph.output:
        kind = port.type
        if kind.WhichOneof("value") == "sequence_type":
            kind = kind.sequence_type.elem_type.map_type.value_type
        if kind.tensor_type.elem_type == TensorProto.DOUBLE:
            kind.tensor_type.elem_type = TensorProto.FLOAT
    return copy


def run(model, rows):
    model = mended(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    types = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}
    feed, first = {}, 0
    for port in session.get_inputs():
        width = port.shape[1] if isinstance(port.shape[1], int) else rows.shape[1]
        feed[port.name] = rows[:, first:first + width].astype(types[port.type])
        first += width
    assert first == rows.shape[1]
    return session.run(None, feed)


def text(value, wide=False):
    value = float(value)
    return "" if np.isnan(value) else ("%.17g" if wide else "%.9g") % value


def label_places(model, labels, zipped):
    given = attributes(ensemble(model))
    known = given.get("classlabels_int64s") or [t.decode() for t in given["classlabels_strings"]]
    return [known.index(label) for label in labels]


def scores_of(outputs):
    """The scores as a table, whether they came as one or as a map for each row."""
    last = outputs[-1]
    if isinstance(last, list):
        return np.array([[row[key] for key in sorted(row)] for row in last], np.float32)
    return np.asarray(last, np.float32).reshape(len(last), -1)


def edge_rows(model, x, integers=()):
    """Rows of the training with: nothing known, infinities, zeros, and thresholds with the numbers
    next to them."""
    rows = x[:ROW_COUNT].copy()
    kind = rows.dtype.type
    row = 10
    free = [i for i in range(rows.shape[1]) if i not in integers]
    for value in [np.nan, np.inf, -np.inf, 0.0, -0.0]:
        rows[row, free] = value
        row += 1
    given = attributes(ensemble(model))
    values = given.get("nodes_values")
    if values is None:
        values = onnx.numpy_helper.to_array(given["nodes_values_as_tensor"])
    splits = [(f, v) for f, v, m in zip(given["nodes_featureids"], values, given["nodes_modes"])
              if m != b"LEAF" and f in free]
    for feature, value in splits[::max(1, len(splits) // 6)][:6]:
        for near in [kind(value), np.nextafter(kind(value), kind(-np.inf)),
                     np.nextafter(kind(value), kind(np.inf))]:
            rows[row, feature] = near
            row += 1
    assert row <= ROW_COUNT
    return rows


def save(name, model, x, integers=(), names=None):
    folder = ROOT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if model.producer_name == "CatBoost":
        # When it was built, and by whom.
        model.producer_version = "Git info: a page of text"
        del model.metadata_props[:]
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    wide = x.dtype == np.float64
    rows = edge_rows(model, x, integers)
    with open(folder / "rows.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names or ["f%d" % i for i in range(rows.shape[1])])
        writer.writerows([[text(v, wide) for v in row] for row in rows])
    given = attributes(ensemble(model))
    sums = np.asarray(run(as_regressor(model), rows)[0])
    outputs = run(model, rows)
    scores = scores_of(outputs)
    mirrored = model.producer_name == "CatBoost" and class_count(given) == 2
    if class_count(given) == 2 and (sums.shape[1] == 1 or mirrored):
        scores = scores[:, 1:]
        sums = sums[:, -1:]
    labels = None
    if class_count(given):
        labels = label_places(model, list(outputs[0]), scores)
    with open(folder / "expected.ndjson", "w") as file:
        for row in range(len(rows)):
            line = '{"margin":[%s],"score":[%s]' % tuple(
                ",".join(map(text, values[row])) for values in (sums, scores))
            assert np.isfinite(sums[row]).all() and np.isfinite(scores[row]).all(), (name, row)
            file.write(line + (',"label":%d}\n' % labels[row] if labels else "}\n"))
    size = (folder / "model.onnx").stat().st_size
    print("%-24s %6d bytes, %d outputs" % (name, size, scores.shape[1]))
    assert size < 60_000


# scikit-learn


def plain_integers():
    """skl2onnx 1.20 puts numpy's integers into attributes, which onnx refuses with numpy 2."""
    make = helper.make_attribute

    def patched(key, value, *rest, **more):
        if isinstance(value, (list, np.ndarray)) and len(value) and isinstance(value[0], np.integer):
            value = [int(v) for v in value]
        if isinstance(value, (list, np.ndarray)) and len(value) and isinstance(value[0], np.floating):
            value = [float(v) for v in value]
        return make(key, value, *rest, **more)
    helper.make_attribute = patched


def sklearn(name, estimator, x, y, missing_x=None, **options):
    estimator.fit(x, y)
    kind = DoubleTensorType if x.dtype == np.float64 else FloatTensorType
    model = to_onnx(estimator, initial_types=[("X", kind([None, x.shape[1]]))], **options)
    save(name, model, x)


def from_sklearn():
    x, signal, two, three = data(1)
    texts = np.array(["early", "late", "on time"])[three]
    both = np.stack([signal, x[:, 3] ** 2], 1)
    few = {"n_estimators": 6, "random_state": 7}
    sklearn("sklearn-tree", DecisionTreeClassifier(max_depth=4, random_state=7), x, two)
    sklearn("sklearn-tree-regressor", DecisionTreeRegressor(max_depth=4, random_state=7), x, both)
    sklearn("sklearn-forest", RandomForestClassifier(max_depth=4, **few), x, two)
    sklearn("sklearn-forest-texts", RandomForestClassifier(max_depth=4, **few), x, texts,
            options={"zipmap": False})
    sklearn("sklearn-forest-regressor", RandomForestRegressor(max_depth=4, **few), x, signal)
    sklearn("sklearn-extra-trees", ExtraTreesClassifier(max_depth=4, **few), x, three)
    sklearn("sklearn-boosting", GradientBoostingClassifier(**few), x, two)
    sklearn("sklearn-boosting-multiclass", GradientBoostingClassifier(**few), x, three)
    sklearn("sklearn-scaled", make_pipeline(StandardScaler(), GradientBoostingRegressor(**few)), x,
            signal)
    sklearn("sklearn-min-max", make_pipeline(MinMaxScaler(), GradientBoostingRegressor(**few)), x,
            signal)
    wide, signal, two, three = data(2, dtype=np.float64)
    sklearn("sklearn-double", GradientBoostingClassifier(**few), wide, three)
    sklearn("sklearn-double-scaled",
            make_pipeline(StandardScaler(), GradientBoostingClassifier(**few)), wide, two)
    sklearn("sklearn-double-forest", RandomForestRegressor(max_depth=4, **few), wide, signal)
    holes, signal, two, three = data(3, missing=0.15)
    steps = {"max_iter": 6, "max_leaf_nodes": 7, "random_state": 7}
    sklearn("sklearn-hist", HistGradientBoostingClassifier(**steps), holes, two)
    sklearn("sklearn-hist-regressor", HistGradientBoostingRegressor(**steps), holes, signal)
    sklearn("sklearn-imputed", make_pipeline(SimpleImputer(), RandomForestRegressor(
        max_depth=4, **few)), holes, signal)
    named()


def named():
    """One input for each column, as from a data frame, the last with integers."""
    import pandas as pd
    x, signal, _, _ = data(4)
    x[:, 3] = np.arange(len(x)) % 5
    frame = pd.DataFrame(x, columns=["delay", "fare", "größe", "stops"])
    columns = ColumnTransformer([("scaled", StandardScaler(), ["delay", "fare"]),
                                 ("plain", "passthrough", ["größe", "stops"])])
    estimator = make_pipeline(columns, GradientBoostingRegressor(n_estimators=6, random_state=7))
    estimator.fit(frame, signal + x[:, 3])
    types = [(c, FloatTensorType([None, 1])) for c in frame.columns[:3]]
    types.append(("stops", Int64TensorType([None, 1])))
    save("sklearn-named", to_onnx(estimator, initial_types=types), x, integers=[3],
         names=list(frame.columns))


# The other libraries


def tools(name, convert, model, x, **options):
    save(name, convert(model, initial_types=[("X", ToolsFloat([None, x.shape[1]]))], **options), x)


def from_xgboost():
    x, signal, two, three = data(5, missing=0.1)
    convert = onnxmltools.convert_xgboost
    few = {"n_estimators": 6, "max_depth": 3, "n_jobs": 1, "random_state": 7}
    tools("xgboost-binary", convert, xgb.XGBClassifier(**few).fit(x, two), x)
    tools("xgboost-multiclass", convert, xgb.XGBClassifier(**few).fit(x, three), x)
    tools("xgboost-regression", convert, xgb.XGBRegressor(**few).fit(x, signal), x)
    tools("xgboost-poisson", convert,
          xgb.XGBRegressor(objective="count:poisson", **few).fit(x, np.floor(np.exp(signal))), x)
    tools("xgboost-targets", convert,
          xgb.XGBRegressor(**few).fit(x, np.stack([signal, np.nan_to_num(x[:, 3])], 1)), x)


def from_lightgbm():
    x, signal, two, three = data(6, missing=0.1)
    convert = onnxmltools.convert_lightgbm
    few = {"n_estimators": 6, "num_leaves": 7, "verbose": -1, "n_jobs": 1, "random_state": 7}
    forest = {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1, **few}
    tools("lightgbm-binary", convert, lgb.LGBMClassifier(**few).fit(x, two), x)
    tools("lightgbm-binary-table", convert, lgb.LGBMClassifier(**few).fit(x, two), x, zipmap=False)
    tools("lightgbm-multiclass", convert, lgb.LGBMClassifier(**few).fit(x, three), x)
    tools("lightgbm-poisson", convert,
          lgb.LGBMRegressor(objective="poisson", **few).fit(x, np.exp(signal)), x)
    tools("lightgbm-rf", convert, lgb.LGBMClassifier(**forest).fit(x, two), x)
    tools("lightgbm-rf-regressor", convert, lgb.LGBMRegressor(**forest).fit(x, signal), x)
    x, signal, _, _ = data(7)
    x[:, 3] = np.random.default_rng(8).integers(0, 12, len(x))
    booster = lgb.LGBMRegressor(min_data_per_group=1, cat_smooth=1, **few)
    booster.fit(x, signal + 2 * np.sin(5 * x[:, 3]), categorical_feature=[3])
    model = convert(booster, initial_types=[("X", ToolsFloat([None, 4]))])
    save("lightgbm-categories", model, x)


def from_catboost():
    x, signal, two, three = data(9, missing=0.1)
    few = {"iterations": 6, "depth": 3, "verbose": 0, "allow_writing_files": False,
           "random_seed": 7, "thread_count": 1}

    def export(name, model):
        path = ROOT / "exported.onnx"
        model.save_model(str(path), format="onnx")
        save(name, onnx.load(str(path)), x)
        path.unlink()
    export("catboost-binary", cb.CatBoostClassifier(**few).fit(x, two))
    export("catboost-multiclass", cb.CatBoostClassifier(**few).fit(x, three))
    export("catboost-regression", cb.CatBoostRegressor(**few).fit(x, signal))


# By hand


def by_hand(name, kind, modes, count=1, seed=1, tensors=False, post="NONE", **more):
    """Trees by chance, of four levels, whose splits have these modes."""
    random = np.random.default_rng(seed)
    given = {key: [] for key in ["treeids", "nodeids", "featureids", "modes", "truenodeids",
                                 "falsenodeids", "missing_value_tracks_true"]}
    values, leaves = [], []
    for tree in range(5):
        for node in range(15):
            leaf = node >= 7
            mode = "LEAF" if leaf else "BRANCH_" + modes[random.integers(len(modes))]
            cut = random.integers(-1, 2) if mode[-2:] == "EQ" and mode != "BRANCH_LEQ" else random.normal()
            given["treeids"].append(tree)
            given["nodeids"].append(node)
            given["featureids"].append(0 if leaf else int(random.integers(4)))
            given["modes"].append(mode)
            given["truenodeids"].append(0 if leaf else 2 * node + 1)
            given["falsenodeids"].append(0 if leaf else 2 * node + 2)
            given["missing_value_tracks_true"].append(int(random.integers(2)))
            values.append(0.0 if leaf else float(cut))
            if leaf:
                leaves += [(tree, node, k, float(random.normal())) for k in range(count)]
    prefix = "class_" if kind == TREES[0] else "target_"
    fields = {"nodes_" + k: v for k, v in given.items()}
    for key, column in zip(["treeids", "nodeids", "ids", "weights"], zip(*leaves)):
        fields[prefix + key] = list(column)
    fields["nodes_values"] = values
    element = TensorProto.FLOAT
    if tensors:
        element = TensorProto.DOUBLE
        for key in ["nodes_values", prefix + "weights"]:
            numbers = fields.pop(key)
            fields[key + "_as_tensor"] = helper.make_tensor(key, element, [len(numbers)], numbers)
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)]
    if kind == TREES[0]:
        outputs.insert(0, helper.make_tensor_value_info("label", TensorProto.INT64, None))
        fields["classlabels_int64s"] = list(range(10, 10 + max(count, 2)))
    else:
        fields["n_targets"] = count
    node = helper.make_node(kind, ["X"], [o.name for o in outputs], domain="ai.onnx.ml", name="trees",
                            post_transform=post, **fields, **more)
    graph = helper.make_graph([node], "graph", [helper.make_tensor_value_info("X", element, [None, 4])],
                              outputs)
    model = helper.make_model(graph, producer_name="make.py", ir_version=8, opset_imports=[
        helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("", 15)])
    x, _, _, _ = data(seed, missing=0.15, dtype=np.float64 if tensors else np.float32)
    x[:30] = np.where(random.random((30, 4)) < 0.5, np.round(x[:30]), x[:30])
    save("edges-" + name, model, x)


def from_nobody():
    by_hand("modes", TREES[1], ["LEQ", "LT", "GTE", "GT", "EQ", "NEQ"], seed=11)
    by_hand("below", TREES[1], ["LT", "GTE"], count=2, seed=12, base_values=[0.5, -0.25])
    by_hand("average", TREES[1], ["LEQ"], seed=13, base_values=[0.125],
            aggregate_function="AVERAGE")
    by_hand("wide", TREES[1], ["LEQ", "LT", "GTE", "GT", "EQ", "NEQ"], count=2, seed=14, tensors=True,
            post="LOGISTIC")
    by_hand("logistic", TREES[0], ["LEQ"], count=3, seed=15, post="LOGISTIC",
            base_values=[0.5, 0.25, -0.5])
    by_hand("softmax-zero", TREES[0], ["GT"], count=3, seed=16, post="SOFTMAX_ZERO")
    by_hand("one-weight", TREES[0], ["LT"], count=1, seed=17, base_values=[0.1])


if __name__ == "__main__":
    plain_integers()
    from_sklearn()
    from_xgboost()
    from_lightgbm()
    from_catboost()
    from_nobody()
