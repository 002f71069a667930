#!/usr/bin/env python3
"""Computes the studies' numbers again with PyTorch, NumPy and mpmath, and compares.

    build/bin/unroll tests/reference/export_studies.lua --out DIR
    python3 tests/reference/studies.py DIR [--results results]

DIR holds what went into the cases of one seed and what came out (export_studies.lua says
how). Every call is computed again: steps of the training from the parameters before them,
losses, gradients, Jacobians, spectra, samples; then every field of every result. With
--results the saved results must contain the same cases, and what is derived from them
(fits, means, statistics of the verdicts) is computed again too.

Prints a line for each quantity, with the worst of its numbers, and exits 1 when one
deviates by more than is allowed. Needs python3-torch, python3-numpy and python3-mpmath
(scripts/setup --peers).
"""

import argparse
import itertools
import json
import os
import sys

sys.dont_write_bytecode = True

from independent import claims, derived, networks, replays, results
from independent.exported import exports
from independent.table import Table

# A field that a float32 evaluation gives: how far it may lie from ours, relative to itself
# or 0.01. Any other: DEFAULT.
SINGLE = {"final": 1e-5, "train": 1e-5, "held_out": 1e-5, "test": 1e-5, "loss": 1e-5,
          "prose_loss": 1e-5, "constant": 1e-6, "ratios": 1e-4}
DEFAULT = 1e-9

MEASURED = {"cost"}  # bytes and seconds: nothing to compute but the fits in derived.py


def field_pairs(ours, theirs, name=""):
    """(name, [ours], [theirs]) of every field; what one side lacks is None."""
    if isinstance(theirs, list) and theirs and isinstance(theirs[0], dict):
        for a, b in itertools.zip_longest(ours, theirs):
            yield from field_pairs(a, b, name)
    elif isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(set(theirs) | set(ours)):
            yield from field_pairs(ours.get(key), theirs.get(key), f"{name}.{key}")
    else:
        yield name, ours, theirs


def compare_result(table, export):
    """Every field of the result of a case."""
    compute, study = results.RESULTS[export.experiment], export.experiment
    others = {}

    def again_for(place, rounding):
        def again(seed):
            if (seed, rounding) not in others:
                with networks.perturbed(seed, rounding):
                    others[seed, rounding] = list(field_pairs(compute(export), export.result))
            return others[seed, rounding][place][1]
        return again

    for place, (name, ours, theirs) in enumerate(field_pairs(compute(export), export.result)):
        field = next((part for part in name.split(".") if part in SINGLE), None)
        single = field and isinstance(theirs, float)
        again = again_for(place, 2.0 ** (-24 if single else -53))
        table.compare(study, "result" + name, ours, theirs, SINGLE[field] if single else DEFAULT,
                      0.01 if single else 1e-12, again)


def compare_case(table, export):
    replays.replay(export, table)
    if export.experiment in results.RESULTS:
        compare_result(table, export)
    elif export.experiment not in MEASURED:
        table.compare(export.experiment, "result", "no formula", "a result", 0)


DERIVED = {"early", "r2"}  # fields that an experiment adds to its runs; see derived.py


def contains(saved, result):
    """Whether an object somewhere in `saved` says what the result says."""
    if isinstance(saved, dict):
        if saved.get("seed") == result.get("seed", 0) and len(saved) > 1 \
                and all(result.get(key) == value for key, value in saved.items()
                        if key not in DERIVED):
            return True
        return any(contains(value, result) for value in saved.values())
    return isinstance(saved, list) and any(contains(item, result) for item in saved)


def compare_saved(table, folder, export):
    path = os.path.join(folder, export.experiment + ".json")
    if not os.path.exists(path) or not isinstance(export.result, dict) \
            or "seed" not in export.result:
        return
    with open(path, encoding="utf-8") as file:
        saved = json.load(file)["results"]
    table.compare(export.experiment, "saved results have this case", contains(saved, export.result),
                  True, 0)


def compare_derived(table, folder, exported, cases):
    def text_named(name):
        experiment = "divergence" if name == "string" else None
        case = next(c for c in cases if experiment in (None, c.experiment))
        return case.text(name)
    derived.compare_texts(table, folder, text_named)
    derived.compare_sizes(table, folder)
    derived.compare_fits(table, folder)
    claims.compare_all(table, folder, claims.load(os.path.join(exported, "claims"), "claims"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="what export_studies.lua has written")
    parser.add_argument("--results", help="folder of saved results")
    arguments = parser.parse_args()
    table, cases = Table(), exports(arguments.folder)
    for export in cases:
        compare_case(table, export)
        if arguments.results:
            compare_saved(table, arguments.results, export)
    if arguments.results:
        compare_derived(table, arguments.results, arguments.folder, cases)
    table.print()
    print(f"{table.count} numbers, {len(table.rows)} quantities, {table.failures} deviate")
    return 1 if table.failures or table.count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
