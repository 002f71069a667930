"""Summaries of series and of seeds."""

import math

import numpy


def bins(series, count, highest=True):
    """Means (and the largest) of at most `count` runs of steps of one length."""
    series = list(series)
    width = max(1, math.ceil(len(series) / count))
    parts = [series[i:i + width] for i in range(0, len(series), width)]
    ends = numpy.cumsum([len(part) for part in parts]).tolist()
    return {"step": ends, "mean": [float(numpy.mean(part)) for part in parts],
            "max": [float(max(part)) for part in parts]}


def deviation(values):
    return float(numpy.std(values, ddof=1)) if len(values) > 1 else 0.0


def slope(x, y):
    return float(numpy.polyfit(x, y, 1)[0])


def ranks(values):
    """1 for the smallest; equal values share the mean."""
    values = numpy.asarray(values)
    return [float((values < v).sum() + ((values == v).sum() + 1) / 2) for v in values]


def correlation(x, y):
    if numpy.ptp(x) == 0 or numpy.ptp(y) == 0:
        return 0.0
    return float(numpy.corrcoef(x, y)[0, 1])
