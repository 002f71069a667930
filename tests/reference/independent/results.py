"""The result of a case, field by field, from its export.

Each function of RESULTS returns what the case should have reported. Histories of a training
are taken as exported (their steps are checked by replays.fit); all else is computed here.
"""

import math

import numpy

from . import networks, products, replays, statistics, texts
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


def description(sample, text):
    return {"distance": texts.distance(texts.shares(text), texts.shares(sample)),
            "pairs": texts.distance(texts.shares(text, 2), texts.shares(sample, 2)),
            "longest_copy": texts.longest_copy(sample, text)}


def ratios(export, call):
    return {name: norms["gradient"] / norms["parameter"]
            for name, norms in replays.ratios_of(export, call).items() if norms["parameter"] > 0}


def training(export):
    norms, text = history(export, "norm"), export.text(export.case["corpus"])
    sample = export.of_kind("sample")[0]["text"]
    described = [description(call["sample"], text) for call in export.of_kind("longest_copy")]
    calls = export.of_kind("gradient_ratios")
    return {"seed": export.case["seed"], "final": losses(export)[0], "sample": sample,
            "clipped": clipped(export), "loss": statistics.bins(history(export), 500),
            "norm": statistics.bins(norms, 500),
            "healthy": float(numpy.mean((norms >= 0.1) & (norms <= 1))),
            "samples": dict(zip(("network", "order0", "copied"), described)),
            "ratios": {"initial": ratios(export, calls[0]), "trained": ratios(export, calls[1])}}


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


def stage(export, calls):
    """What is measured of one network: `calls` are those of one stage."""
    case, out, at = export.case, {"last": [], "every": []}, 0
    gradients, places = calls["state_gradients"], export.case["places"]
    for _ in case["windows"]:
        for which in ("last", "every"):
            out[which].append(back_from_last(export, gradients[at:at + places], -400))
            at += places
    longest = case["windows"].index(max(case["windows"])) * 2 * places
    states = [trajectory(export, call) for call in gradients[longest:longest + places]]
    if case["cell"] == "tanh":
        out["saturation"] = float(numpy.mean([(abs(h) > 0.97).mean() for h in states]))
        out["slope"] = float(max((1 - h * h).max() for h in states))
    else:
        out["saturation"] = float(numpy.mean([(h <= 0).mean() for h in states]))
        out["slope"] = 1
    matrix = replays.spectrum_of(export.tensors[calls["spectrum"][0]["matrix"]])
    out.update(radius=matrix["radius"], sigma_max=matrix["sigma_max"],
               bound=math.log10(matrix["sigma_max"] * out["slope"]))
    out["spectra"] = spectra(export, calls["jacobians"][0], gradients[0]["model"], case["lags"])
    return out


def trajectory(export, call):
    """The states along the inputs of a call."""
    parameters, layout, _ = export.parameters(call["model"])
    return networks.numpy_states(networks.values_of(parameters), layout["cell"],
                                 export.tensors[call["x"]][:, 0] - 1,
                                 export.state(call["state"])[0])


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
    stages = [[]]
    for call in export.calls:
        if call["kind"] not in ("fit", "evaluate"):
            stages[-1].append(call)
        elif stages[-1]:
            stages.append([])
    result = dict(zip(("loss", "prose_loss"), losses(export)), seed=export.case["seed"])
    for name, calls in zip(("initial", "trained", "prose"), stages):
        kinds = {}
        for call in calls:
            kinds.setdefault(call["kind"], []).append(call)
        result[name] = stage(export, kinds)
    return result


def flow_at_initialisation(export):
    calls, out = export.of_kind("state_gradients"), []
    for call, single, spectrum in zip(calls[::2], calls[1::2], export.of_kind("spectrum")):
        norms = replays.norms_of(export, call)[0][::-1]
        lost = bool(norms[-1] < 1e-45)
        if 1e-47 < norms[-1] < 1e-43: # on the edge: a matter of how float32 is rounded
            lost = bool(export.tensors[single["norms"]][0] == 0)
        out.append({"log": log10(norms / norms[0], -400).tolist(), "lost": lost,
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
    matrix = replays.spectrum_of(export.tensors[export.of_kind("spectrum")[0]["matrix"]])
    return {"seed": export.case["seed"], "loss": losses(export)[0],
            "curve": statistics.bins(history(export), 100),
            "radius": matrix["radius"], "sigma_max": matrix["sigma_max"],
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
            "loss": statistics.bins(loss, 200)}


def temporal_order(export):
    loss, average, weight, solved = history(export), 0.0, 0.0, None
    for step, value in enumerate(loss, 1):
        average, weight = 0.98 * average + 0.02 * value, 0.98 * weight + 0.02
        if average / weight < export.case["threshold"]:
            solved = step
            break
    return {"seed": export.case["seed"], "solved": solved, "steps": len(loss),
            "test": losses(export)[0], "loss": statistics.bins(loss, 150)}


def moving_average(values, alpha):
    """The last one, each value weighted by (1 - alpha)^age."""
    weights = (1 - alpha) ** numpy.arange(len(values))[::-1]
    return float((weights * values).sum() / weights.sum())


def adding(export):
    squares, weights = 0.0, 0.0
    for batch in export.of_kind("evaluate")[0]["batches"]:
        y, w = export.tensors[batch["y"]][:, :, 0], export.tensors[batch["weight"]]
        squares, weights = squares + ((y - 1) ** 2 * w).sum(), weights + w.sum()
    out = {"seed": export.case["seed"], "loss": statistics.bins(history(export), 150),
           "test": losses(export)[0], "average": moving_average(history(export), 0.02),
           "constant": float(squares / weights)}
    for step in range(1, len(history(export)) + 1):
        if moving_average(history(export)[:step], 0.02) < export.case["threshold"]:
            out["solved"] = step
            break
    return out


def copy_memory(export):
    call = export.of_kind("evaluate")[0]
    return {"seed": export.case["seed"], "loss": statistics.bins(history(export), 150),
            "test": losses(export)[0], "accuracy": replays.evaluation(export, call)[1]}


def window_time(export):
    loss = history(export)
    return {"steps": len(loss), "loss": float(loss[-1])}


RESULTS = {function.__name__: function for function in (
    training, architectures, datasets, gradient_flow, flow_at_initialisation, initialisation,
    window_length, clipping, divergence, temporal_order, adding, copy_memory,
    window_time)}
