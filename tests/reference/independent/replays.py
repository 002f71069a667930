"""Every call that an export has watched, computed again."""

import functools

import numpy

from . import networks, texts


def text_tokens(export, call):
    text = export.text(call["source"]["corpus"])
    tokens, _ = texts.tokens_of(text)
    return texts.split_of(tokens, call["options"].get("split", "train"))


# --- training ------------------------------------------------------------------------------

# float32: what rounding does to one loss, and to parameters within a few updates.
SINGLE = {"loss": 1e-4, "norm": 2e-3, "parameters": 2e-3}
DOUBLE = {"loss": 1e-9, "norm": 1e-8, "parameters": 1e-8}


def is_double(export, call):
    """Whether the parameters are no float32 numbers."""
    flat = export.tensors[call["model"]["flat"]]
    return bool((flat != flat.astype("f4")).any())


def fit(export, call, table):
    double = is_double(export, call)
    allowed, rounding = (DOUBLE, 2.0 ** -51) if double else (SINGLE, 2.0 ** -22)
    for segment in call["segments"]:
        if "after" in segment:
            compare_segment(export, call, segment, table, allowed, rounding)
    if call["source"].get("corpus"):
        check_batches(export, call, table)


def compare_segment(export, call, segment, table, allowed, rounding):
    @functools.lru_cache(None)
    def otherwise(seed):
        with networks.perturbed(seed, rounding):
            return networks.train_segment(export, call, segment)

    def again(take):
        return lambda seed: take(*otherwise(seed))

    name = export.experiment
    history, after = networks.train_segment(export, call, segment)
    first = segment["first"] - 1
    for k, key in enumerate(("loss", "norm", "norm_after")):
        theirs = export.tensors[call[key]][first:first + len(history)]
        table.compare(name, f"training: {key} of a step", [step[k] for step in history], theirs,
                      allowed["loss" if key == "loss" else "norm"], 0.01,
                      again(lambda steps, _, k=k: [step[k] for step in steps]))
    theirs, _, _ = export.parameters(segment["after"])
    for key, value in after.items():
        table.compare(name, "training: parameters after some steps", value, theirs[key],
                      allowed["parameters"], float(abs(theirs[key]).max()) + 0.01,
                      again(lambda _, p, key=key: p[key]), together=True)


def check_batches(export, call, table):
    """Inputs and targets of a corpus, from the text: B runs of nearly one length."""
    tokens, options = text_tokens(export, call), call["options"]
    batch, window = options.get("batch", 1), options.get("window", 25)
    transitions = len(tokens) - 1
    lengths = [transitions // batch + (b < transitions % batch) for b in range(batch)]
    starts = numpy.cumsum([0] + lengths[:-1])
    windows = -(-lengths[0] // window)
    for segment in call["segments"]:
        for k, given in enumerate(segment["batches"]):
            at = (segment["first"] - 1 + k) % windows * window
            x, y = export.tensors[given["x"]], export.tensors[given["y"]]
            wrong = 0
            for b, start in enumerate(starts):
                last = min(at + window, lengths[b])
                wrong += (x[:last - at, b] != tokens[start + at:start + last] + 1).sum()
                wrong += (y[:last - at, b] != tokens[start + at + 1:start + last + 1] + 1).sum()
            wrong += (at == 0) != given["reset"]
            table.compare(export.experiment, "training: wrong tokens of a batch", int(wrong), 0, 0)


# --- losses --------------------------------------------------------------------------------


def evaluation(export, call):
    """The loss, and the share of right predictions where the source is a task."""
    parameters, layout, _ = export.parameters(call["model"])
    if "corpus" in call["source"]:
        return networks.text_loss(parameters, layout["cell"], text_tokens(export, call)), None
    total, weights, right = 0.0, 0.0, 0.0
    for batch in call["batches"]:
        x, y, w = (export.tensors[batch[key]] for key in ("x", "y", "weight"))
        loss, weight, guesses = networks.batch_loss(parameters, layout, x, y, w)
        total, weights = total + loss, weights + weight
        if guesses.shape == y.shape:
            right += ((guesses == y) * w).sum()
    return total / weights, right / weights


def sensitive(compute, rounding):
    """compute() with parameters that are rounded otherwise, for Table.compare."""
    def again(seed):
        with networks.perturbed(seed, rounding):
            return compute()
    return again


def evaluate(export, call, table):
    def compute():
        return evaluation(export, call)[0]
    table.compare(export.experiment, "loss of a trained network", compute(), call["value"], 1e-5,
                  0.01, sensitive(compute, 2.0 ** -24))


# --- gradients -----------------------------------------------------------------------------


def norms_of(export, call):
    parameters, layout, _ = export.parameters(call["model"])
    state = networks.as_torch(export.state(call.get("state")))
    return networks.gradient_norms(parameters, layout, export.tensors[call["x"]],
                                   export.tensors[call["y"]], state, call["loss"])


# float32 has nothing below 1e-38, and few digits near it; a flushed norm is 0.
PRECISIONS = {"float64": (1e-9, 1e-12, 1e-290, 2.0 ** -53),
              "float32": (1e-3, 1e-5, 1e-30, 2.0 ** -22)}


def state_gradients(export, call, table):
    dtype = call["model"]["dtype"]
    of_norm, of_loss, floor, rounding = PRECISIONS[dtype]
    norms, loss = norms_of(export, call)
    table.compare(export.experiment, f"|dL/dh_t|, loss '{call['loss']}', {dtype}", norms,
                  export.tensors[call["norms"]], of_norm, floor,
                  sensitive(lambda: norms_of(export, call)[0], rounding))
    table.compare(export.experiment, f"loss of a window, {dtype}", loss, call["value"], of_loss,
                  0.0, sensitive(lambda: norms_of(export, call)[1], rounding))


def ratios_of(export, call):
    """Of the mean loss of the first window of the text, from a state of zeros."""
    text, T = export.text(export.case["corpus"]), export.case["window"]
    tokens = texts.tokens_of(text)[0][:T + 1, None] + 1
    parameters, layout, _ = export.parameters(call["model"])
    return networks.gradient_ratios(parameters, layout, tokens[:-1], tokens[1:])


def gradient_ratios(export, call, table):
    ours = ratios_of(export, call)
    for entry in call["value"]:
        for key in ("gradient", "parameter"):
            table.compare(export.experiment, f"norm of a {key}", ours[entry["name"]][key],
                          entry[key], 1e-4, 1e-3)


def longest_copy(export, call, table):
    corpus = export.of_kind("fit")[-1]["source"]["corpus"]
    whole = export.text(corpus)
    if export.experiment == "datasets" and corpus == "shakespeare":
        whole = "".join(texts.split_of(numpy.array(list(whole)), "train"))
    table.compare(export.experiment, "longest copied run",
                  texts.longest_copy(call["sample"], whole), call["value"], 0)


def jacobians(export, call, table, model):
    parameters, layout, _ = export.parameters(model)
    ours = networks.jacobians(parameters, layout["cell"], export.tensors[call["x"]][:, 0] - 1,
                              export.state(call["state"])[0])
    theirs = export.tensors[call["values"]]
    table.compare(export.experiment, "Jacobians dh_t/dh_{t-1}", ours, theirs, 1e-12,
                  float(abs(theirs).max()))
    return ours


def spectrum_of(matrix):
    sigma = numpy.linalg.svd(matrix, compute_uv=False)
    return {"radius": float(numpy.abs(numpy.linalg.eigvals(matrix)).max()),
            "sigma_max": float(sigma[0]), "sigma_min": float(sigma[-1])}


def spectrum(export, call, table):
    table.compare(export.experiment, "spectral radius, extreme singular values",
                       spectrum_of(export.tensors[call["matrix"]]), call["value"], 1e-9, 0.01)


def saturation(export, call, table):
    outputs, cell = export.tensors[call["outputs"]], export.case.get("cell")
    share = (outputs <= 0).mean() if cell == "relu" else (abs(outputs) > 0.97).mean()
    table.compare(export.experiment, "share of saturated units", share, call["value"], 1e-12)


# --- samples -------------------------------------------------------------------------------


def sample(export, call, table):
    """How surprising the drawn text is to the model, in deviations from the entropy of its
    predictions: below 4.5 for a text drawn from the model (below 1e-5 by chance)."""
    parameters, layout, _ = export.parameters(call["model"])
    options = call["options"]
    corpus = export.of_kind("fit")[-1]["source"]["corpus"]
    _, symbols = texts.tokens_of(export.text(corpus))
    tokens = numpy.array([symbols.index(c) for c in call["text"]])
    states = networks.numpy_states(parameters, layout["cell"], tokens[:-1],
                                   numpy.zeros(parameters["W_hh"].shape[0]))
    logs = networks.log_probabilities(parameters, states) / options.get("temperature", 1)
    logs -= numpy.log(numpy.exp(logs).sum(axis=1, keepdims=True))
    first = max(0, len(call["text"]) - 1 - options["length"])
    logs, drawn = logs[first:], tokens[first + 1:]
    p = numpy.exp(logs)
    surprise = -logs[numpy.arange(len(drawn)), drawn]
    expected = -(p * logs).sum(axis=1)
    variance = (p * logs ** 2).sum(axis=1) - expected ** 2
    score = (surprise - expected).sum() / numpy.sqrt(max(variance.sum(), 1e-12))
    table.compare(export.experiment, "surprise of a sample, in deviations", float(score), 0.0, 4.5)


KINDS = {function.__name__: function for function in (
    fit, evaluate, state_gradients, gradient_ratios, spectrum, saturation, sample, longest_copy)}


def replay(export, table):
    model = None
    for call in export.calls:
        model = call.get("model") or model
        if call["kind"] == "jacobians":
            jacobians(export, call, table, model)
        else:
            KINDS[call["kind"]](export, call, table)
