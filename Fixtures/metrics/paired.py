"""Write paired.ndjson: differences of two areas under the curve with DeLong's variance, by the definition.

Every yes is held against every no, in O(n²), with the covariances of DeLong, DeLong and Clarke-Pearson (1988) written
out as they stand there: no midranks, nothing shared with the Swift code.

    python3 paired.py > paired.ndjson
"""
import json
import math
import random


def kernel(yes, no):
    return 1.0 if yes > no else 0.5 if yes == no else 0.0


def components(scores, outcomes):
    yes = [s for s, o in zip(scores, outcomes) if o]
    no = [s for s, o in zip(scores, outcomes) if not o]
    v10 = [sum(kernel(y, n) for n in no) / len(no) for y in yes]
    v01 = [sum(kernel(y, n) for y in yes) / len(yes) for n in no]
    return v10, v01


def covariance(a, b):
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    return sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b)) / (len(a) - 1)


def delong(first, second, outcomes):
    a10, a01 = components(first, outcomes)
    b10, b01 = components(second, outcomes)
    difference = sum(a10) / len(a10) - sum(b10) / len(b10)
    s10 = covariance(a10, a10) + covariance(b10, b10) - 2 * covariance(a10, b10)
    s01 = covariance(a01, a01) + covariance(b01, b01) - 2 * covariance(a01, b01)
    variance = s10 / len(a10) + s01 / len(a01)
    z = abs(difference) / math.sqrt(variance)
    return difference, math.sqrt(variance), math.erfc(z / math.sqrt(2))


def case(name, n, digits, share, noise, seed):
    rng = random.Random(seed)
    outcomes, first, second = [], [], []
    for _ in range(n):
        latent = rng.gauss(0, 1)
        outcomes.append(int(latent + rng.gauss(0, 1) > share))
        first.append(round(latent + rng.gauss(0, noise[0]), digits))
        second.append(round(latent + rng.gauss(0, noise[1]), digits))
    difference, error, p = delong(first, second, outcomes)
    print(json.dumps(dict(
        name=name, first=first, second=second, outcomes=outcomes, difference=difference,
        error=error, p=p)))


case("a few rows", 12, 6, 0.0, (0.5, 1.0), 1)
case("many ties", 150, 0, 0.3, (0.5, 1.5), 2)
case("few of them yes", 300, 6, 2.2, (1.0, 1.2), 3)
case("nearly the same", 200, 3, 0.0, (0.80, 0.82), 4)
