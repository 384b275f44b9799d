"""Probabilities of classes, outcomes and what scikit-learn says: python3 multiclass.py > multiclass.ndjson."""
import json
import numpy as np
from sklearn import metrics

rng = np.random.default_rng(5)
for name, rows, classes, steps in [("three", 200, 3, None), ("ties", 150, 4, 8), ("two", 80, 2, None)]:
    outcomes = rng.integers(0, classes, rows)
    raw = rng.gamma(1.0, size=(rows, classes))
    raw[np.arange(rows), outcomes] += 0.8
    if steps:
        raw = np.round(raw * steps / raw.max()) + 1
    scores = raw / raw.sum(axis=1, keepdims=True)
    predicted = scores.argmax(axis=1)
    area = (metrics.roc_auc_score(outcomes, scores[:, 1]) if classes == 2
            else metrics.roc_auc_score(outcomes, scores, multi_class="ovr"))
    print(json.dumps({
        "name": name, "classes": classes, "scores": scores.ravel().tolist(),
        "outcomes": outcomes.tolist(), "auc": area,
        "accuracy": metrics.accuracy_score(outcomes, predicted),
        "logLoss": metrics.log_loss(outcomes, scores),
        "brier": float(np.mean(np.sum((scores - np.eye(classes)[outcomes]) ** 2, axis=1))),
        "macroF1": metrics.f1_score(outcomes, predicted, average="macro")}))
