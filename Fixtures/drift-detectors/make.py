#!/usr/bin/env python3
"""Streams with the places at which river's detectors see a change.

    pip install numpy river; python3 Fixtures/drift-detectors/make.py > Fixtures/drift-detectors/streams.ndjson

Each line is a stream with what one detector, with river's defaults, says of it: the indices of changes, and of the first
warnings. river's ADWIN throws its whole window away after a change, where the paper keeps the newer part, so of
its changes only the first is written down. KSWIN draws at random and is not here.
"""

import json

import numpy
from river import drift

random = numpy.random.default_rng(7)


def run(detector, values, only_first=False):
    changes, warnings, warned = [], [], False
    for index, value in enumerate(values):
        detector.update(value)
        if detector.drift_detected:
            changes.append(index)
            if only_first:
                break
        now = getattr(detector, "warning_detected", False) and not detector.drift_detected
        if now and not warned:
            warnings.append(index)
        warned = now
    return changes, warnings


def main():
    for shift in (0, 0.5, 1, 3):
        before, after = int(random.integers(300, 900)), 700
        values = numpy.concatenate(
            [random.normal(0, 1, before), random.normal(shift, 1, after), random.normal(0, 1, 300)]
        ).round(3).tolist()
        for name, detector, first in (
            ("adwin", drift.ADWIN(), True),
            ("page-hinkley", drift.PageHinkley(), False),
        ):
            changes, warnings = run(detector, values, first)
            print(json.dumps({"detector": name, "values": values, "changes": changes, "warnings": warnings}))
    for rate in (0.1, 0.3, 0.6):
        values = numpy.concatenate([random.random(800) < 0.1, random.random(1200) < rate]).astype(int).tolist()
        for name, detector in (("ddm", drift.binary.DDM()), ("eddm", drift.binary.EDDM()), ("adwin", drift.ADWIN())):
            changes, warnings = run(detector, values, name == "adwin")
            print(json.dumps({"detector": name, "values": values, "changes": changes, "warnings": warnings}))


if __name__ == "__main__":
    main()
