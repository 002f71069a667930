"""The numbers behind the verdicts, from the saved results, and the verdicts themselves.

A measure takes the results of an experiment, its settings, its times and the part of the
check, and returns a number for each seed; MEASURES has them by name.
"""

import json
import math
import os

import numpy

from . import statistics

MEASURES = {}
LEAST_SEEDS = 5


def measure(function):
    MEASURES[function.__name__] = function
    return function


def column(entry, *path):
    values = []
    for run in entry["runs"]:
        for key in path:
            run = run[key]
        values.append(run)
    return values


def find(entries, **wanted):
    return next(entry for entry in entries
                if all(entry[key] == value for key, value in wanted.items()))


# --- training ------------------------------------------------------------------------------


def quarters(run):
    loss = numpy.array(run["loss"]["mean"])
    n = len(loss) // 4
    return loss[0], [loss[q * n:(q + 1) * n].mean() for q in range(4)], \
        loss[n - 1:n + n // 10].mean()


@measure
def early_fall(results, config, times, part):
    parts = [quarters(run) for run in results["runs"]]
    return [(start - after) / (start - means[3]) for start, means, after in parts]


@measure
def late_change(results, config, times, part):
    parts = [quarters(run) for run in results["runs"]]
    return [abs(means[2] - means[3]) / (start - means[3]) for start, means, _ in parts]


@measure
def lowest_perplexity(results, config, times, part):
    return [math.exp(min(loss)) for loss in column(results, "loss", "mean")]


@measure
def formula_with_mean(results, config, times, part):
    return [math.exp(loss[0] / config["window"]) / math.exp(loss[0])
            for loss in column(results, "loss", "mean")]


@measure
def formula_with_sum(results, config, times, part):
    return [math.exp(loss[0] * config["window"] / config["window"]) / math.exp(loss[0])
            for loss in column(results, "loss", "mean")]


@measure
def in_band(results, config, times, part):
    return column(results, "healthy")


@measure
def in_band_while_learning(results, config, times, part):
    shares = []
    for run in results["runs"]:
        loss, norm = (numpy.array(run[key]["mean"]) for key in ("loss", "norm"))
        norm = norm[loss > 0.1]
        shares.append(float(((norm >= 0.1) & (norm <= 1)).mean()) if len(norm) else 0.0)
    return shares


@measure
def distance(results, config, times, part):
    return column(results, "samples", part.get("of_text", "network"), "distance")


@measure
def longest_copy(results, config, times, part):
    return column(results, "samples", "network", "longest_copy")


# --- gradients -----------------------------------------------------------------------------


def longest(results, run, part):
    return numpy.array(run[part["stage"]]["last"][-1])


@measure
def straightness(results, config, times, part):
    logs = [longest(results, run, part) for run in results["runs"]]
    return [statistics.correlation(range(len(log)), log) ** 2 for log in logs]


@measure
def rise(results, config, times, part):
    return [max(numpy.diff([log[-1] for log in run[part["stage"]]["last"]]))
            for run in results["runs"]]


@measure
def left_after(results, config, times, part):
    logs = [longest(results, run, part) for run in results["runs"]]
    return [10 ** (log[part["steps"]] - log[0]) for log in logs]


@measure
def factor_over_sigma(results, config, times, part):
    return [10 ** statistics.slope(range(len(log)), log) / run[part["stage"]]["sigma_max"]
            for run in results["runs"] for log in [longest(results, run, part)]]


@measure
def excess(results, config, times, part):
    out = []
    for run in results["runs"]:
        log = longest(results, run, part)
        bound = numpy.arange(len(log)) * run[part["stage"]]["bound"]
        out.append((log - log[0] - bound)[1:].max())
    return out


@measure
def arriving(results, config, times, part):
    at = results["windows"].index(part["window"])
    return [10 ** run[part["stage"]][part["loss"]][at][-1] for run in results["runs"]]


def rule(results, name):
    return find(results["inits"], name=name)


@measure
def init_norm(results, config, times, part):
    return column(rule(results, part["init"]), "last", "mean")


@measure
def init_decay(results, config, times, part):
    return column(rule(results, part["init"]), "last", "decay")


@measure
def imbalance(results, config, times, part):
    decays = numpy.abs([column(rule(results, name), "last", "decay")
                        for name in ("glorot", "small", "large")])
    return (decays[0] - decays[1:].min(axis=0)).tolist()


def rank_correlation(x, y):
    return statistics.correlation(statistics.ranks(x), statistics.ranks(y))


@measure
def variance_and_loss(results, config, times, part):
    variances = zip(*(column(entry, "every", "variance") for entry in results["inits"]))
    losses = zip(*(column(entry, "loss") for entry in results["inits"]))
    return [rank_correlation(v, l) for v, l in zip(variances, losses)]


# --- windows and clips ---------------------------------------------------------------------


def losses_by_window(results, part):
    windows = find(results, rule=part["rule"])["windows"]
    return [w["window"] for w in windows], numpy.array([column(w, "held_out") for w in windows])


@measure
def best_window(results, config, times, part):
    windows, losses = losses_by_window(results, part)
    return [windows[w] for w in losses.argmin(axis=0)]


@measure
def u_shape(results, config, times, part):
    perplexity = numpy.exp(losses_by_window(results, part)[1])
    ends = numpy.minimum(perplexity[0], perplexity[-1])
    return (ends / perplexity.min(axis=0) - 1).tolist()


@measure
def exponent(results, config, times, part):
    """By the total times themselves, where they are saved."""
    if "total" not in times:
        return times["exponent"]
    total = numpy.array(times["total"])
    return [statistics.slope(numpy.log(times["length"]), numpy.log(t)) for t in total.T]


@measure
def spike(results, config, times, part):
    runs = find(results[part["task"]], clip="none")["runs"]
    return [run["highest"] / numpy.median(run["norm"]["mean"]) for run in runs]


def finals(results, part, wanted):
    """The final losses (clips, seeds) of the clips whose threshold is wanted."""
    rows = []
    for entry in results[part["task"]]:
        kind, _, limit = entry["clip"].partition(" ")
        if kind in ("none", part.get("kind", kind)) and wanted(float(limit or "inf")):
            rows.append(column(entry, "final"))
    return numpy.array(rows)


@measure
def worst_loss(results, config, times, part):
    return finals(results, part, lambda limit: limit <= 1).max(axis=0).tolist()


@measure
def advantage(results, config, times, part):
    inside = finals(results, part, lambda limit: 0.5 <= limit <= 1)
    outside = finals(results, part, lambda limit: not 0.5 <= limit <= 1)
    return (inside.min(axis=0) - outside.min(axis=0)).tolist()


@measure
def deviation_and_loss(results, config, times, part):
    entries = results[part["task"]]
    deviations = zip(*(column(entry, part["key"]) for entry in entries))
    losses = zip(*(column(entry, "final") for entry in entries))
    return [rank_correlation(d, l) for d, l in zip(deviations, losses)]


# --- texts ---------------------------------------------------------------------------------


def size_of(results, part):
    return results["sizes"][part["size"] - 1]


def text_of(results, part):
    return find(results["corpora"], name=part["text"])


def passing(entry, level):
    """The share of the updates until the loss is first at most the level; 2: never."""
    shares = []
    for loss in column(entry, "loss"):
        below = numpy.flatnonzero(numpy.array(loss["mean"]) <= level)
        shares.append(loss["step"][below[0]] / loss["step"][-1] if len(below) else 2)
    return shares


@measure
def size_loss(results, config, times, part):
    return column(size_of(results, part), "final")


@measure
def size_perplexity(results, config, times, part):
    return numpy.exp(column(size_of(results, part), "final")).tolist()


@measure
def size_passes(results, config, times, part):
    return passing(size_of(results, part), part["level"])


@measure
def size_seconds(results, config, times, part):
    return times["sizes"][part["size"] - 1]["seconds"]


@measure
def gain(results, config, times, part):
    small, large = results["sizes"][part["size"] - 1:part["size"] + 1]
    key = part.get("key", "final")
    return numpy.subtract(column(small, key), column(large, key)).tolist()


@measure
def vocabulary(results, config, times, part):
    return [text_of(results, part)["vocabulary"]]


@measure
def entropy(results, config, times, part):
    return [text_of(results, part)["entropies"][0]]


def text_losses(entry):
    return [run.get("held_out", run["train"]) for run in entry["runs"]]


@measure
def loss(results, config, times, part):
    return text_losses(text_of(results, part))


@measure
def text_passes(results, config, times, part):
    return passing(text_of(results, part), part["level"])


@measure
def judged(results, config, times, part):
    return [dict(map(tuple, judged))[part["judged"]]
            for judged in column(text_of(results, part), "judged")]


@measure
def correlation(results, config, times, part):
    entropies = [entry["entropies"][part["order"]] for entry in results["corpora"]]
    return [statistics.correlation(entropies, losses)
            for losses in zip(*map(text_losses, results["corpora"]))]


# --- further studies -----------------------------------------------------------------------


@measure
def constant(results, config, times, part):
    return column(results["entries"][0], "constant")


@measure
def adding_test(results, config, times, part):
    return column(find(results["entries"], cell=part["cell"], init=part["init"]), "test")


@measure
def adding_solved(results, config, times, part):
    entry = find(results["entries"], cell=part["cell"], init=part["init"])
    return [run.get("solved", config["steps"] + 1) for run in entry["runs"]]


@measure
def adding_delay(results, config, times, part):
    theirs = adding_solved(results, config, times, {"cell": part["over"], "init": part["init"]})
    return [a - b for a, b in zip(adding_solved(results, config, times, part), theirs)]


@measure
def relu_over_tanh(results, config, times, part):
    relu = column(find(results["entries"], cell="relu", init="identity"), "test")
    tanh = [column(entry, "test") for entry in results["entries"] if entry["cell"] == "tanh"]
    return (numpy.array(relu) / numpy.min(tanh, axis=0)).tolist()


@measure
def solved(results, config, times, part):
    entry = find(results, length=part["length"], init=part["init"])
    return [run.get("solved", entry["steps"] + 1) for run in entry["runs"]]


def accuracies(results, cell, init):
    entry = find(results["entries"], cell=cell, init=init)
    return {group["delay"]: numpy.array(column(group, "accuracy")) for group in entry["delays"]}


@measure
def copy_fall(results, config, times, part):
    shares = accuracies(results, part["cell"], part["init"])
    return (shares[min(shares)] - shares[max(shares)]).tolist()


@measure
def copy_lead(results, config, times, part):
    ours = accuracies(results, "tanh", "orthogonal")
    theirs = accuracies(results, *part["over"].split(" "))
    leads = [ours[delay] - theirs[delay] for delay in ours
             if part["from"] <= delay <= part.get("to", math.inf)]
    return numpy.min(leads, axis=0).tolist()


def matrix_of(results, part):
    return find(results["matrices"], name=part["matrix"])


@measure
def matrix(results, config, times, part):
    return column(matrix_of(results, part), part["key"])


@measure
def off_orthogonal(results, config, times, part):
    runs = find(results["matrices"], name="orthogonal")["runs"]
    return [max(abs(run["sigma_max"] - 1), abs(run["sigma_min"] - 1)) for run in runs]


@measure
def log_bound(results, config, times, part):
    return [part["lag"] * math.log10(s) for s in column(matrix_of(results, part), "sigma_max")]


@measure
def log_norm(results, config, times, part):
    return [log[part["lag"]] for log in column(matrix_of(results, part), "log")]


@measure
def lost(results, config, times, part):
    return [int(v) for v in column(matrix_of(results, part), "lost")]


@measure
def final(results, config, times, part):
    return column(results["setups"][part["setup"] - 1], "final")


@measure
def symbols(results, config, times, part):
    return [results["vocabulary"]]


@measure
def entropies_off(results, config, times, part):
    known = [3.900, 1.760, 0.190, 0.063, 0.032, 0.032, 0]
    return [max(abs(a - b) for a, b in zip(known, results["entropies"]))]


@measure
def line_explains(results, config, times, part):
    return [statistics.correlation(results["length"], bytes_) ** 2
            for bytes_ in column(results, "bytes")]


# --- verdicts ------------------------------------------------------------------------------


def passes(part, values):
    if part.get("of") == "mean":
        values = [numpy.mean(values)] * len(values)
    low, high = part.get("at_least", -math.inf), part.get("at_most", math.inf)
    return [low <= value <= high for value in values]


def decide(check, good, good_if):
    if len(good) < LEAST_SEEDS and not check["exact"]:
        return "not decided"
    if all(good):
        return "holds"
    if good_if is not None and all(good_if):
        return "holds only if"
    return "not decided" if any(good) else "does not hold"


def load(folder, name):
    path = os.path.join(folder, name + ".json")
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def values_of(part, record, times):
    return MEASURES[part["measure"]](record["results"], record["config"], times, part)


def compare_check(table, check, saved, record, times):
    parts = check["parts"] + (check.get("only_if") or [])
    passed, name = [], f"claim {check['id']}"
    for part, given in zip(parts, saved["parts"], strict=True):
        if part["measure"] not in MEASURES:
            table.compare("verdicts", f"{name}, {part['measure']}", "no formula", "a number", 0)
            return
        values = [float(v) for v in values_of(part, record, times)]
        ours = {"values": values, "mean": float(numpy.mean(values)), "low": min(values),
                "high": max(values), "median": float(numpy.median(values)),
                "deviation": statistics.deviation(values)}
        scale = max(map(abs, values))
        for key, value in ours.items():
            table.compare("verdicts", f"{name}, statistics", value, given[key], 1e-8, scale)
        passed.append(passes(part, values))
    count = len(check["parts"])
    good = [all(seed) for seed in zip(*passed[:count])]
    good_if = [all(seed) for seed in zip(*passed[count:])] if passed[count:] else None
    table.compare("verdicts", f"{name}, verdict", decide(check, good, good_if), saved["verdict"], 0)


def compare_all(table, folder, checks):
    """Every verdict that the saved results allow."""
    saved = {verdict["id"]: verdict for name in ("verdicts", "verdicts-times")
             for verdict in load(folder, name) or []}
    for check in checks:
        record, times = load(folder, check["experiment"]), None
        if check["times"]:
            times = (load(folder, check["experiment"] + "-times") or {}).get("times")
        if check["id"] in saved and saved[check["id"]]["parts"]:
            compare_check(table, check, saved[check["id"]], record, times)
