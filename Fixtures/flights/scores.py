"""Compare the decisions of rtinfer with XGBoost's own predictions.

A decision record of rtinfer carries the inputs that the model was asked with, the margin (the sum of the trees)
and the score (its probability). The inputs become the float32 row that XGBoost would see, null as NaN. The
margins must then be the same float32 numbers, to the last bit. The probability goes through an exponential,
which libraries round differently, so it may be off by one part in a million.

  scores.py model.json DECISIONS.ndjson
  scores.py model.json DECISIONS.ndjson --write FILE    also write {"id","margin","score"} as XGBoost has them
"""
import argparse
import json
import sys

import numpy as np
import xgboost

import project as projects

TOLERANCE = 1e-6  # for probabilities
SHOWN = 10  # differences to name


def read_decisions(path):
    with open(path, encoding="utf-8") as file:
        return [record for record in map(json.loads, file) if record["kind"] == "decision"]


def row(decision, names):
    inputs = {projects.column(name): value for name, value in decision["inputs"].items()}
    if inputs.keys() != set(names):
        raise SystemExit(f"{decision['id']}: the inputs are not the model's: "
                         f"{sorted(inputs.keys() ^ set(names))}")
    return [np.nan if inputs[name] is None else inputs[name] for name in names]


def number(value):
    return np.nan if value is None else value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="the model, as XGBoost's JSON")
    parser.add_argument("decisions", metavar="DECISIONS", help="NDJSON of rtinfer; other records are passed over")
    parser.add_argument("--write", metavar="FILE", help="write what XGBoost says, one object a line")
    options = parser.parse_args()

    booster = xgboost.Booster({"nthread": 1}, model_file=options.model)
    decisions = read_decisions(options.decisions)
    if not decisions:
        raise SystemExit(f"{options.decisions} has no decisions")
    table = np.array([row(decision, booster.feature_names) for decision in decisions], dtype=np.float32)
    data = xgboost.DMatrix(table, feature_names=booster.feature_names, nthread=1)
    margins, scores = booster.predict(data, output_margin=True), booster.predict(data)
    if options.write:
        with open(options.write, "w", encoding="ascii", newline="\n") as file:
            for decision, margin, score in zip(decisions, margins.tolist(), scores.tolist()):
                line = {"id": decision["id"], "margin": margin, "score": score}
                file.write(json.dumps(line, separators=(",", ":")) + "\n")

    found = np.array([number(decision["margin"]) for decision in decisions], dtype=np.float32)
    off = np.abs(found - margins)
    # Both are 32-bit floats; the decision's is the shortest decimal that reads back as the same one.
    found_scores = np.array([number(decision["score"]) for decision in decisions], dtype=np.float32)
    score_off = np.abs(found_scores - scores)
    # Written so that the NaN of a null counts as wrong.
    wrong = np.flatnonzero(~((off == 0) & (score_off <= TOLERANCE)))
    for index in wrong[:SHOWN]:
        decision = decisions[index]
        print(f"{decision['id']}: margin {decision['margin']}, score {decision['score']}; "
              f"XGBoost: {margins[index]}, {scores[index]}")
    print(f"{len(decisions)} decisions: largest difference of the margins {off.max()}, "
          f"of the probabilities {score_off.max():.1e}; {len(wrong)} wrong")
    return 1 if len(wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
