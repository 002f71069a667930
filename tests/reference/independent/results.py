"""The result of a case, field by field, from its export.

Each function of RESULTS returns what the case should have reported. Histories of a training
are taken as exported (their steps are checked by replays.fit); all else is computed here.
"""

import math

import numpy

from . import products, replays, statistics, texts
from .table import Table


def history(export, key="loss"):
    return export.tensors[export.of_kind("fit")[-1][key]]


def clipped(export):
    """Share of the steps whose norm the clip made smaller."""
    before, after = history(export, "norm"), history(export, "norm_after")
    limit = export.of_kind("fit")[-1]["options"].get("clip_norm")
    return float(numpy.mean(before > limit if limit else after < before))


def losses(export):
    """The evaluations, in their order."""
    return [replays.evaluation(export, call)[0] for call in export.of_kind("evaluate")]


def half_median(series):
    return float(numpy.median(series[len(series) // 2:]))


def training(export):
    norms, text = history(export, "norm"), export.text(export.case["corpus"])
    sample = export.of_kind("sample")[0]["text"]
    return {"seed": export.case["seed"], "final": losses(export)[0], "sample": sample,
            "clipped": clipped(export), "loss": statistics.bins(history(export), 500),
            "norm": statistics.bins(norms, 500),
            "healthy": float(numpy.mean((norms >= 0.1) & (norms <= 1))),
            "distance": texts.distance(texts.shares(text), texts.shares(sample)),
            "longest_copy": texts.longest_copy(sample, text)}


def architectures(export):
    text, hidden = export.text(export.case["corpus"]), export.case["hidden"]
    symbols = len(set(text))
    return {"seed": export.case["seed"], "loss": statistics.bins(history(export), 300),
            "final": losses(export)[0], "vocabulary": symbols,
            "parameters": hidden * (symbols + hidden + 1) + symbols * (hidden + 1)}


def judged(name, sample, text, train, held):
    copied = ["longest copied run, characters", texts.longest_copy(
        sample, train if name == "shakespeare" else text)]
    return {
        "simple": [["longest exact run, characters", copied[1]]],
        "numbers": [["digits that follow their predecessor", texts.followers(sample, text)]
                    if name == "numbers" else None],
        "code": [["lines that tokenise as Lua", texts.lua_lines(sample)], copied],
        "shakespeare": [["words found in the training text", texts.known_words(sample, train)],
                        ["words found in the held-out text", texts.known_words(sample, held)],
                        copied]}[name]


def datasets(export):
    name, text = export.case["corpus"], export.text(export.case["corpus"])
    parts = {split: "".join(texts.split_of(numpy.array(list(text)), split))
             for split in ("train", "test")}
    drawn = export.of_kind("sample")[0]
    sample = drawn["text"][-drawn["options"]["length"]:]
    values = losses(export)
    result = {"seed": export.case["seed"], "loss": statistics.bins(history(export), 300),
              "train": values[-1], "sample": sample[:300],
              "judged": judged(name, sample, text, parts["train"], parts["test"]),
              "distance": texts.distance(texts.shares(text), texts.shares(sample))}
    if export.case["held_out"]:
        result["held_out"] = values[0]
    return result


# --- gradients -----------------------------------------------------------------------------


def log10(values, zero):
    with numpy.errstate(divide="ignore"):
        return numpy.maximum(numpy.log10(values), zero)


def back_from_last(export, calls, zero):
    """Mean over calls of log10 |dL/dh| at 0, 1, ... steps back."""
    logs = [log10(replays.norms_of(export, call)[0], zero) for call in calls]
    return numpy.mean(logs, axis=0)[::-1].tolist()


def stage(export, calls, case):
    places, out, at = case["places"], {"last": [], "every": []}, 0
    for _ in case["windows"]:
        for which in ("last", "every"):
            out[which].append(back_from_last(export, calls["state_gradients"][at:at + places],
                                             -400))
            at += places
    out.update(replays.spectrum_of(export.tensors[calls["spectrum"][0]["matrix"]]))
    model = calls["state_gradients"][0]["model"]
    out["spectra"] = spectra(export, calls["jacobians"][0], model, case["lags"])
    outputs = export.tensors[calls["saturation"][0]["outputs"]]
    out["saturation"] = float((abs(outputs) > 0.97).mean())
    return out


def spectra(export, call, model, lags):
    J = replays.jacobians(export, call, Table(), model)
    found = products.products(J, lags)
    norms = numpy.cumsum([math.log10(numpy.linalg.norm(j, 2)) for j in J[::-1]])
    out = {"largest": [], "fifth": [], "median": [], "lyapunov": products.lyapunov(J),
           "stepwise": [float(norms[lag - 1]) for lag in lags]}
    for lag in lags:
        s = [max(-400, v) for v in products.log10_singular_values(found[lag])]
        out["largest"].append(s[0])
        out["fifth"].append(s[min(5, len(s)) - 1])
        out["median"].append(s[(len(s) + 1) // 2 - 1])
    return out


def gradient_flow(export):
    result = {"seed": export.case["seed"], "loss": losses(export)[0]}
    trained = next(i for i, call in enumerate(export.calls) if call["kind"] == "fit")
    for name, calls in (("initial", export.calls[:trained]), ("trained", export.calls[trained:])):
        kinds = {}
        for call in calls:
            kinds.setdefault(call["kind"], []).append(call)
        result[name] = stage(export, kinds, export.case)
    return result


def flow_at_initialisation(export):
    out = []
    for call, spectrum in zip(export.of_kind("state_gradients"), export.of_kind("spectrum")):
        norms = replays.norms_of(export, call)[0][::-1]
        out.append({"log": log10(norms / norms[0], -400).tolist(),
                    **replays.spectrum_of(export.tensors[spectrum["matrix"]])})
    return out


def flow_statistics(export, calls):
    norms = [replays.norms_of(export, call)[0][::-1] for call in calls]
    rates = []
    for back in norms:
        seen = back > 0
        rates.append(-statistics.slope(numpy.arange(len(back))[seen], numpy.log(back[seen])))
    return {"mean": float(numpy.mean(norms)), "decay": float(numpy.mean(rates)),
            "variance": float(numpy.mean([numpy.var(back, ddof=1) for back in norms])),
            "log_norm": numpy.mean([log10(back, -300) for back in norms], axis=0).tolist()}


def initialisation(export):
    gradients = export.of_kind("state_gradients")
    by_loss = {which: [call for call in gradients if call["loss"] == which]
               for which in ("last", "every")}
    return {"seed": export.case["seed"], "loss": losses(export)[0],
            "curve": statistics.bins(history(export), 100),
            **replays.spectrum_of(export.tensors[export.of_kind("spectrum")[0]["matrix"]]),
            **{which: flow_statistics(export, calls) for which, calls in by_loss.items()}}


def window_length(export):
    case, loss = export.case, history(export)
    batch = (case["batch"] if case["rule"] == "equal batch"
             else max(1, math.floor(case["update"] / case["window"] + 0.5)))
    reach = [max(-300, math.log10(replays.norms_of(export, call)[0][0]))
             for call in export.of_kind("state_gradients")]
    return {"seed": case["seed"], "steps": case["characters"] // (case["window"] * batch),
            "batch": batch, "held_out": losses(export)[0], "train": half_median(loss),
            "curve": statistics.bins(loss, 100), "norm": half_median(history(export, "norm")),
            "clipped": clipped(export), "reach": float(numpy.mean(reach))}


def clipping(export):
    loss, before, after = (history(export, key) for key in ("loss", "norm", "norm_after"))
    return {"seed": export.case["seed"], "finished": export.of_kind("fit")[-1]["finished"],
            "final": float(numpy.mean(loss[-100:])), "sd_before": statistics.deviation(before),
            "sd_after": statistics.deviation(after), "highest": float(before.max()),
            "clipped": float(numpy.mean(after < before * (1 - 1e-6))),
            "loss": statistics.bins(loss, 150), "norm": statistics.bins(before, 150)}


# --- tasks ---------------------------------------------------------------------------------


def divergence(export):
    loss = history(export)
    last = loss[-(len(loss) // export.case["passes"]):]
    return {"seed": export.case["seed"], "final": float(numpy.mean(last)),
            "highest_norm": float(history(export, "norm").max()), "clipped": clipped(export),
            "loss": statistics.bins(loss, 200), "vocabulary": len(set(export.text("string")))}


def temporal_order(export):
    loss, average, weight, solved = history(export), 0.0, 0.0, None
    for step, value in enumerate(loss, 1):
        average, weight = 0.98 * average + 0.02 * value, 0.98 * weight + 0.02
        if average / weight < export.case["threshold"]:
            solved = step
            break
    return {"seed": export.case["seed"], "solved": solved, "steps": len(loss),
            "test": losses(export)[0], "loss": statistics.bins(loss, 150)}


def adding(export):
    return {"seed": export.case["seed"], "loss": statistics.bins(history(export), 150),
            "test": losses(export)[0], "chance": 1 / 6}


def copy_memory(export):
    call = export.of_kind("evaluate")[0]
    return {"seed": export.case["seed"], "chance": math.log(export.case["kinds"]),
            "loss": statistics.bins(history(export), 150), "test": losses(export)[0],
            "accuracy": replays.evaluation(export, call)[1]}


RESULTS = {function.__name__: function for function in (
    training, architectures, datasets, gradient_flow, flow_at_initialisation, initialisation,
    window_length, clipping, divergence, temporal_order, adding, copy_memory)}
