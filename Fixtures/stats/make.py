#!/usr/bin/env python3
"""Writes distributions.tsv: tails and quantiles as scipy has them, for `Core/Stats/Distributions.swift`.

A line: function, its arguments, the value. Needs scipy (1.17.1 made the file here).
"""
import itertools
from pathlib import Path

from scipy import special, stats

lines = []


def line(name, *numbers):
    lines.append("\t".join([name, *(repr(float(n)) for n in numbers)]))


for z in [-38, -10, -6, -3.5, -1, -0.1, 0, 0.1, 0.5, 1, 1.96, 3, 6, 8]:
    line("normal.lower", z, stats.norm.cdf(z))
for p in [1e-300, 1e-20, 1e-9, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.999]:
    line("normal.quantile", p, stats.norm.ppf(p))
for df, share in itertools.product([1, 2, 3, 9, 19.5, 100, 999, 50_000, 2_000_000], [1e-9, 0.01, 0.3, 0.5, 0.9, 0.999999]):
    x = stats.chi2.ppf(share, df)
    line("chi2.lower", x, df, special.gammainc(df / 2, x / 2))
    line("chi2.upper", x, df, special.gammaincc(df / 2, x / 2))
for mean, share in itertools.product([0.5, 3, 40, 1000, 250_000], [0.001, 0.3, 0.7, 0.9999]):
    k = int(stats.poisson.ppf(share, mean))
    line("poisson.lower", k, mean, stats.poisson.cdf(k, mean))
    line("poisson.upper", k, mean, stats.poisson.sf(k - 1, mean))
shapes = [(0.5, 0.5), (1, 1), (2, 5), (30, 0.7), (200, 300), (1, 5000), (99_000, 1_000), (1_000_000, 10)]
for (a, b), share in itertools.product(shapes, [1e-6, 0.025, 0.5, 0.975, 0.99999]):
    x = stats.beta.ppf(share, a, b)
    line("beta.lower", x, a, b, special.betainc(a, b, x))
    line("beta.upper", x, a, b, special.betaincc(a, b, x))
    line("beta.quantile", share, a, b, x)
for n, p, share in itertools.product([1, 10, 1000, 1_000_000], [0.001, 0.01, 0.5, 0.99], [0.001, 0.3, 0.9, 0.99999]):
    k = int(stats.binom.ppf(share, n, p))
    line("binomial.lower", k, n, p, stats.binom.cdf(k, n, p))
    line("binomial.upper", k, n, p, stats.binom.sf(k - 1, n, p))
    line("binomial.quantile", share, n, p, k)
for k, n in [(0, 10), (3, 10), (10, 10), (1, 1000), (50, 1000), (999, 1_000_000)]:
    interval = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    line("binomial.low", k, n, 0.95, interval.low)
    line("binomial.high", k, n, 0.95, interval.high)
for df, t in itertools.product([1, 2, 5, 29.5, 1000], [-30, -2, -0.5, 0, 0.01, 1, 2.5, 12]):
    line("student.upper", t, df, stats.t.sf(t, df))
for df, p in itertools.product([1, 5, 29.5, 1000], [1e-8, 0.025, 0.4, 0.5, 0.9, 0.9995]):
    line("student.quantile", p, df, stats.t.ppf(p, df))
for x in [0.05, 0.2, 0.5, 0.83, 0.999, 1, 1.36, 2, 4, 15]:
    line("kolmogorov.upper", x, special.kolmogorov(x))

Path(__file__).with_name("distributions.tsv").write_text("\n".join(lines) + "\n")
