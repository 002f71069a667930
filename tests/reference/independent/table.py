"""The table of what was compared: quantity, ours, theirs, deviation, tolerance."""

import collections
import math


class Row:
    def __init__(self, tolerance):
        self.tolerance, self.count, self.worst = tolerance, 0, None

    def add(self, ours, theirs, deviation):
        self.count += 1
        if self.worst is None or not deviation <= self.worst[2]:
            self.worst = (ours, theirs, deviation)

    @property
    def ok(self):
        return self.worst is None or self.worst[2] <= self.tolerance


class Table:
    """A row for each quantity, with the worst of its numbers. The deviation of two numbers
    is |a - b| / max(|b|, floor).

    A number can be so sensitive that rounding settles nothing (a chaotic network multiplies
    any error at every step). So where one deviates too far, `again(seed)` computes it with
    parameters perturbed by as much as rounding. When that alone moves it, it goes into a row of its
    own, with the deviation in units of the largest change that the rounding made.
    """

    seeds, units = (1, 2, 3, 4), 20

    def __init__(self):
        self.rows = collections.OrderedDict()

    def row(self, study, quantity, tolerance):
        return self.rows.setdefault((study, quantity), Row(tolerance))

    def compare(self, study, quantity, ours, theirs, tolerance, floor=0.0, again=None,
                together=False):
        """`together`: what rounding does to one of the numbers, it may do to each."""
        row = self.row(study, quantity, tolerance)
        ours, theirs = list(flatten(ours)), list(flatten(theirs))
        if len(ours) != len(theirs):
            row.add(f"{len(ours)} values", f"{len(theirs)} values", math.inf)
            return
        units = None
        for i, (a, b) in enumerate(zip(ours, theirs)):
            far = deviation(a, b, floor)
            if far > tolerance and again and math.isfinite(far):
                units = units or self.changes(ours, again, floor, together)
                if units[i] > 0.05 * tolerance:
                    self.row(study, quantity + ", sensitive", self.units).add(a, b, far / units[i])
                    continue
            row.add(a, b, far)

    def changes(self, ours, again, floor, together):
        """How far rounding moves each number: at least as the middle one of the list, or as the
        one that it moves most."""
        others = [list(flatten(again(seed))) for seed in self.seeds]
        moved = [max(deviation(a, other[i], floor) for other in others)
                 for i, a in enumerate(ours)]
        least = max(moved) if together else sorted(moved)[len(moved) // 2]
        return [max(change, least) for change in moved]

    def print(self):
        line = "{:<22} {:<44} {:>7} {:>14} {:>14} {:>9} {:>9}  {}"
        print(line.format("study", "quantity", "numbers", "ours", "theirs", "deviation",
                          "allowed", ""))
        for (study, quantity), row in self.rows.items():
            if row.worst is None:
                continue
            ours, theirs, worst = row.worst
            print(line.format(study, quantity, row.count, show(ours), show(theirs),
                              f"{worst:.1e}", f"{row.tolerance:.0e}",
                              "" if row.ok else "DEVIATES"))

    @property
    def failures(self):
        return sum(not row.ok for row in self.rows.values())

    @property
    def count(self):
        return sum(row.count for row in self.rows.values())


def is_finite(v):
    return isinstance(v, (int, float)) and math.isfinite(v)


def deviation(a, b, floor):
    if is_finite(a) and is_finite(b):
        size = max(abs(b), floor)
        return abs(a - b) / size if size > 0 else abs(a - b)
    return 0.0 if a == b else math.inf


def show(value):
    return f"{value:.7g}" if isinstance(value, float) else str(value)[:14]


def flatten(value):
    if isinstance(value, dict):
        for key in sorted(value):
            yield from flatten(value[key])
    elif hasattr(value, "tolist"):
        yield from flatten(value.tolist())
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from flatten(item)
    else:
        yield value
