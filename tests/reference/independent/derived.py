"""What the saved results say beyond single cases: counts of texts, and fits."""

import numpy

from . import statistics, texts
from .claims import load


def describe(text):
    return {"length": len(text), "vocabulary": len(set(text)),
            "entropies": [texts.entropy(text, order) for order in range(7)]}


def fit(x, y):
    """Slope, intercept and explained share of a straight line."""
    slope, intercept = numpy.polyfit(x, y, 1)
    return slope, intercept, statistics.correlation(x, y) ** 2


def compare_texts(table, folder, text_named):
    record = load(folder, "datasets")
    for entry in record["results"]["corpora"] if record else []:
        ours = describe(text_named(entry["name"]))
        for key, value in ours.items():
            table.compare("datasets", f"text: {key}", value, entry[key], 1e-10, 1.0)
    record = load(folder, "training")
    if record:
        text, results = text_named(record["config"]["corpus"]), record["results"]
        ours = describe(text)
        table.compare("training", "vocabulary", ours["vocabulary"], results["vocabulary"], 0)
        table.compare("training", "unigram bits", ours["entropies"][0], results["unigram_bits"],
                      1e-12)
        table.compare("training", "character shares", texts.shares(text), results["shares"], 1e-12)
    record = load(folder, "divergence")
    if record:
        ours = describe(text_named("string"))
        for key in ("vocabulary", "entropies"):
            table.compare("divergence", f"text: {key}", ours[key], record["results"][key], 1e-10,
                          1.0)


def compare_sizes(table, folder):
    """T1 at equal characters: the training loss where the fewest of all sizes end."""
    record = load(folder, "architectures")
    if not record:
        return
    config, results = record["config"], record["results"]
    fewest = min(s * w for s, w in zip(config["steps"], config["window"]))
    table.compare("architectures", "fewest characters", fewest, results["fewest_characters"], 0)
    for size in results["sizes"]:
        for run in size["runs"]:
            steps = numpy.array(run["loss"]["step"])
            at = numpy.flatnonzero(steps * size["window"] >= fewest).min()
            table.compare("architectures", "loss at equal characters", run["loss"]["mean"][at],
                          run["early"], 1e-12)


def compare_fits(table, folder):
    record, times = load(folder, "cost"), load(folder, "cost-times")
    if record:
        results = record["results"]
        ours = fit(results["length"], results["bytes"])
        for key, value in zip(("bytes_a_step", "bytes_fixed", "r2"), ours):
            table.compare("cost", f"straight line: {key}", float(value), results[key], 1e-8)
    for name, lengths, seconds in (("cost", "length", "total"),
                                   ("window_time", "window", "per_window")):
        times = (load(folder, name + "-times") or {}).get("times")
        if times:
            logs = numpy.log(numpy.array(times[seconds]))
            ours = [statistics.slope(numpy.log(times[lengths]), log) for log in logs.T]
            table.compare(name, "power law: exponent", ours, times["exponent"], 1e-8)
