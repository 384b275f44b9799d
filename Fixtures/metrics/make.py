"""Scores, outcomes and what scikit-learn says of them: python3 make.py > expected.ndjson (needs scikit-learn)."""
import json
import numpy as np
from sklearn import metrics

rng = np.random.default_rng(7)
for name, rows, steps in [("smooth", 200, None), ("ties", 150, 8), ("rare", 300, None), ("extreme", 40, 1)]:
    truth = rng.uniform(size=rows) * (0.1 if name == "rare" else 1)
    outcomes = (rng.uniform(size=rows) < truth).astype(int)
    scores = np.clip(truth + rng.normal(0, 0.2, rows), 0, 1)
    if steps:
        scores = np.round(scores * steps) / steps
    predictions, values = rng.normal(size=rows), rng.normal(size=rows)
    print(json.dumps({
        "name": name, "scores": scores.tolist(), "outcomes": outcomes.tolist(),
        "auc": metrics.roc_auc_score(outcomes, scores),
        "logLoss": metrics.log_loss(outcomes, scores, labels=[0, 1]),
        "brier": metrics.brier_score_loss(outcomes, scores),
        "precision": metrics.precision_score(outcomes, scores >= 0.5, zero_division=0),
        "recall": metrics.recall_score(outcomes, scores >= 0.5),
        "predictions": predictions.tolist(), "values": values.tolist(),
        "rmse": metrics.root_mean_squared_error(values, predictions),
        "mae": metrics.mean_absolute_error(values, predictions)}))
