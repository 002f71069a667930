#!/usr/bin/env python3
"""Makes the reference numbers that tests/lua/test_study_numbers.lua compares unroll with.

    python3 tests/reference/make_studies.py        # writes tests/reference/studies1.json

Small forms of what the studies report: trainings, gradients through time, products of
Jacobians, counts of texts, summaries. PyTorch, NumPy and mpmath compute them, in float64 and
with the code that studies.py compares the full studies with. The same seed, the same file.
"""

import argparse
import json
import math
import os
import sys

sys.dont_write_bytecode = True

import numpy
import torch

from independent import networks, products, replays, statistics, texts

LINES = ["a cat sat on a mat.", "the rat ate the cat's hat;", "eat that, tom cat!"]


class Case:
    """What networks.train_segment wants of an export."""

    def __init__(self, parameters, cell, tensors):
        self.given, self.cell, self.tensors = parameters, cell, tensors

    def parameters(self, _):
        return self.given, {"cell": self.cell, "head": "softmax"}, dict.fromkeys(self.given)

    def state(self, _):
        return None


def draw_parameters(rng, symbols, hidden, scale=1.0):
    def normal(*shape):
        return rng.normal(0, scale / shape[-1] ** 0.5, shape)
    return {"W_xh": normal(hidden, symbols), "W_hh": normal(hidden, hidden),
            "b_h": rng.normal(0, 0.1, hidden), "W_hy": normal(symbols, hidden),
            "b_y": rng.normal(0, 0.1, symbols)}


# --- trainings -----------------------------------------------------------------------------


TRAININGS = [
    {"cell": "tanh", "optimizer": "adam", "lr": 0.01, "clip_norm": 0.5, "batch": 1, "window": 6},
    {"cell": "tanh", "optimizer": "sgd", "lr": 0.05, "clip_value": 0.3, "reduction": "sum",
     "batch": 2, "window": 5},
    {"cell": "relu", "optimizer": "adagrad", "lr": 0.05, "batch": 3, "window": 4},
    {"cell": "tanh", "optimizer": "rmsprop", "lr": 0.005, "clip_norm": 1.0, "batch": 2,
     "window": 7},
]


def windows(tokens, batch, window, steps):
    """Batches of B runs of nearly one length, window after window, pass after pass."""
    transitions, out = len(tokens) - 1, []
    lengths = [transitions // batch + (b < transitions % batch) for b in range(batch)]
    starts = numpy.cumsum([0] + lengths[:-1])
    at = 0
    while len(out) < steps:
        size = min(window, lengths[0] - at)
        x, y = numpy.ones((2, size, batch), int)
        weight = numpy.zeros((size, batch))
        for b, start in enumerate(starts):
            last = min(at + size, lengths[b])
            x[:last - at, b] = tokens[start + at:start + last] + 1
            y[:last - at, b] = tokens[start + at + 1:start + last + 1] + 1
            weight[:last - at, b] = 1
        out.append((x, y, weight, at == 0))
        at = at + size if at + size < lengths[0] else 0
    return out


def training(rng, options, text, hidden, steps):
    tokens, symbols = texts.tokens_of(text)
    parameters, tensors = draw_parameters(rng, len(symbols), hidden), {}
    batches = []
    for k, (x, y, weight, reset) in enumerate(windows(tokens, options["batch"],
                                                      options["window"], steps)):
        tensors.update({f"x{k}": x, f"y{k}": y, f"w{k}": weight})
        batches.append({"x": f"x{k}", "y": f"y{k}", "weight": f"w{k}", "reset": reset})
    tensors["lr"] = options["lr"] * (1 - numpy.arange(steps) / steps)
    call = {"algorithm": options["optimizer"], "lr": "lr", "options": options}
    segment = {"before": None, "first": 1, "optimizer": [], "batches": batches}
    history, after = networks.train_segment(Case(parameters, options["cell"], tensors), call,
                                            segment)
    loss, norm, _ = zip(*history)
    final = networks.text_loss(after, options["cell"], tokens)
    return {"options": options, "parameters": parameters, "hidden": hidden, "loss": loss,
            "norm": norm, "after": after, "final": final, "perplexity": math.exp(final),
            "bits": final / math.log(2)}


# --- gradients -----------------------------------------------------------------------------


def flow(rng, cell, scale, hidden=6, symbols=5, T=24):
    parameters = draw_parameters(rng, symbols, hidden, scale)
    x, y = rng.integers(1, symbols + 1, (2, T, 1))
    h0 = rng.normal(0, 0.5, (1, hidden))
    layout = {"cell": cell, "head": "softmax"}
    out = {"cell": cell, "parameters": parameters, "x": x, "y": y, "h": h0}
    for which in ("last", "every"):
        norms, loss = networks.gradient_norms(parameters, layout, x, y, torch.tensor(h0), which)
        out[which] = {"norms": norms, "loss": loss}
    J = networks.jacobians(parameters, cell, x[:, 0] - 1, h0[0])
    lags = [1, 2, 5, 10, T]
    found = products.products(J, lags)
    out["jacobian"], out["lags"] = J[-1], lags
    out["singular"] = [products.log10_singular_values(found[lag]) for lag in lags]
    out["lyapunov"] = products.lyapunov(J)
    out["spectrum"] = replays.spectrum_of(parameters["W_hh"])
    states = networks.numpy_states(parameters, cell, x[:, 0] - 1, h0[0])
    out["saturation"] = float((states <= 0).mean() if cell == "relu"
                              else (abs(states) > 0.97).mean())
    return out


# --- texts and summaries -------------------------------------------------------------------


LUA = "x = 1\nlocal t = {'a', \"b\"}\n'open\n-- fine\n1..2\nif a ~= 0x1F then\nend"


def of_texts(rng):
    whole = "".join(LINES[k] + "\n" for k in rng.integers(0, len(LINES), 40))
    sample = whole[100:130] + "the bat ate" + whole[7:20] + " tomtom cats"
    cycle = "0123456789" * 20
    broken = cycle[3:40] + cycle[5:30]
    return {"text": whole, "sample": sample, "lua": LUA, "cycle": cycle, "broken": broken,
            "entropies": [texts.entropy(whole, order) for order in range(7)],
            "shares": texts.shares(whole), "pairs": texts.shares(sample, 2),
            "distance": texts.distance(texts.shares(whole), texts.shares(sample)),
            "pair_distance": texts.distance(texts.shares(whole, 2), texts.shares(sample, 2)),
            "longest_copy": texts.longest_copy(sample, whole),
            "known_words": texts.known_words(sample, whole),
            "followers": texts.followers(broken, cycle), "lua_lines": texts.lua_lines(LUA)}


def moving(values, alpha):
    out = []
    for n in range(1, len(values) + 1):
        weights = (1 - alpha) ** numpy.arange(n)[::-1]
        out.append((weights * values[:n]).sum() / weights.sum())
    return out


def of_lists(rng):
    x, y = numpy.sort(rng.uniform(1, 50, 12)), rng.normal(0, 2, 12).round(1)
    y[3] = y[7]  # a tie
    power = 3.7 * x ** 1.3 * numpy.exp(rng.normal(0, 0.05, 12))
    slope, intercept = numpy.polyfit(x, y, 1)
    exponent, log_factor = numpy.polyfit(numpy.log(x), numpy.log(power), 1)
    return {"x": x, "y": y, "power": power,
            "line": [slope, intercept, numpy.corrcoef(x, y)[0, 1] ** 2],
            "power_law": [exponent, math.exp(log_factor),
                          numpy.corrcoef(numpy.log(x), numpy.log(power))[0, 1] ** 2],
            "mean": y.mean(), "deviation": y.std(ddof=1), "median": numpy.median(y),
            "quantiles": {q: numpy.quantile(y, float(q)) for q in ("0", "0.05", "0.5", "0.9")},
            "ranks": statistics.ranks(y), "correlation": numpy.corrcoef(x, y)[0, 1],
            "bins": statistics.bins(y, 5), "smooth": moving(y, 0.3)}


# --- the file ------------------------------------------------------------------------------


def plain(value):
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and value == -math.inf:
        return "-inf"
    return value


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out")
    arguments = parser.parse_args()
    rng = numpy.random.default_rng(arguments.seed)
    text = "".join(LINES)
    record = {
        "seed": arguments.seed, "text": text,
        "trainings": [training(rng, options, text, 5, 40) for options in TRAININGS],
        "flows": [flow(rng, cell, scale) for cell, scale in
                  (("tanh", 0.3), ("tanh", 1.0), ("tanh", 2.5), ("relu", 1.0))],
        "texts": of_texts(rng), "lists": of_lists(rng),
    }
    path = arguments.out or os.path.join(here, f"studies{arguments.seed}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(plain(record), file, separators=(",", ":"), sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    main()
