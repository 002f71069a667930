"""A recurrent network with a read-out: PyTorch where gradients are needed, NumPy elsewhere.

    h_t = f(W_xh x_t + W_hh h_{t-1} + b_h),  y_t = W_hy h_t + b_y

or, for training and evaluation on numbers, from states of zeros, an LSTM or a GRU.

Tokens count from 0 here. Everything is float64.
"""

import contextlib

import numpy
import torch
from torch.nn import functional

FUNCTIONS = {"tanh": torch.tanh, "relu": torch.relu}
SLOPES = {"tanh": lambda h: 1 - h * h, "relu": lambda h: (h > 0).astype(float)}
OPTIMISERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adagrad": torch.optim.Adagrad,
              "rmsprop": torch.optim.RMSprop, "adamw": torch.optim.AdamW}


noise = None  # a generator while `perturbed` lasts, and how much


@contextlib.contextmanager
def perturbed(seed, size):
    """Within, every parameter is multiplied with 1 + size N(0, 1): what the numbers then change
    by is what rounding of that size can do to them."""
    global noise
    noise = numpy.random.default_rng(seed), size
    try:
        yield
    finally:
        noise = None


def values_of(parameters):
    if noise is None:
        return parameters
    rng, size = noise
    return {name: value * (1 + size * rng.normal(size=value.shape))
            for name, value in parameters.items()}


def constants(parameters):
    return {name: torch.tensor(value) for name, value in values_of(parameters).items()}


def function_of(cell):
    if cell not in FUNCTIONS:
        raise SystemExit(f"there is no formula for the cell '{cell}' in networks.py")
    return FUNCTIONS[cell]


def leaves(parameters):
    return {name: value.requires_grad_() for name, value in constants(parameters).items()}


def lstm_states(p, x, h):
    c, states = torch.zeros_like(h), []
    for row in x @ p["W_xh"].T + p["b_h"]:
        i, f, g, o = (row + h @ p["W_hh"].T).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        states.append(h)
    return states


def gru_states(p, x, h):
    states = []
    for row in x @ p["W_xh"].T + p["b_h"]:
        of_input, of_state = row.chunk(3, 1), (h @ p["W_hh"].T).chunk(3, 1)
        r, z = (torch.sigmoid(of_input[k] + of_state[k]) for k in (0, 1))
        n = torch.tanh(of_input[2] + r * (of_state[2] + p["b_hn"]))
        h = (1 - z) * n + z * h
        states.append(h)
    return states


GATED = {"lstm": lstm_states, "gru": gru_states}


def states_of(p, cell, x, h):
    """h_1 ... h_T, a list of (B, H)."""
    if cell in GATED:
        return GATED[cell](p, x, h)
    if x.is_floating_point():
        inputs = x @ p["W_xh"].T
    else:
        inputs = p["W_xh"].T[x]
    f, states = function_of(cell), []
    for t in range(x.shape[0]):
        h = f(inputs[t] + h @ p["W_hh"].T + p["b_h"])
        states.append(h)
    return states


def losses_of(p, head, states, y):
    """The loss of every prediction, (T, B)."""
    outputs = torch.stack(states) @ p["W_hy"].T + p["b_y"]
    if head == "linear":
        return functional.mse_loss(outputs, y, reduction="none").mean(-1)
    return functional.cross_entropy(outputs.flatten(0, 1), y.flatten(),
                                    reduction="none").view(y.shape)


def as_inputs(array):
    """Tokens, from 0; or numbers."""
    if array.dtype.kind == "i":
        return torch.tensor(array) - 1
    return torch.tensor(array)


def as_torch(array):
    return None if array is None else torch.tensor(array)


# --- training ------------------------------------------------------------------------------


def norm_of(p):
    return torch.sqrt(sum((v.grad ** 2).sum() for v in p.values())).item()


def clip(p, options):
    if "clip_norm" in options:
        torch.nn.utils.clip_grad_norm_(p.values(), options["clip_norm"])
    elif "clip_value" in options:
        torch.nn.utils.clip_grad_value_(p.values(), options["clip_value"])


def resumed_optimiser(export, call, segment, p, places):
    optimiser = OPTIMISERS[call["algorithm"]](list(p.values()), lr=1.0)
    for name, value in p.items():
        state = {key: torch.tensor(export.tensors[t][places[name]])
                 for key, t in segment["optimizer"].items()} if segment["optimizer"] else {}
        if state:
            state["step"] = torch.tensor(float(segment["first"] - 1))
            optimiser.state[value] = state
    return optimiser


def train_segment(export, call, segment):
    """Loss, norm before and after the clip of each step; the parameters in the end."""
    parameters, layout, places = export.parameters(segment["before"])
    p = leaves(parameters)
    optimiser = resumed_optimiser(export, call, segment, p, places)
    rates, options = export.tensors[call["lr"]], call["options"]
    h, history = as_torch(export.state(segment.get("state"))), []
    for k, batch in enumerate(segment["batches"]):
        x, y = as_inputs(export.tensors[batch["x"]]), as_inputs(export.tensors[batch["y"]])
        weight = (torch.tensor(export.tensors[batch["weight"]]) if "weight" in batch
                  else torch.ones(y.shape[:2], dtype=torch.float64))
        if batch["reset"] or h is None:
            h = torch.zeros(x.shape[1], p["W_hh"].shape[1], dtype=torch.float64)
        states = states_of(p, layout["cell"], x, h)
        total = (losses_of(p, layout["head"], states, y) * weight).sum()
        mean = total / weight.sum()
        optimiser.zero_grad()
        (total if options.get("reduction") == "sum" else mean).backward()
        before = norm_of(p)
        clip(p, options)
        history.append((mean.item(), before, norm_of(p)))
        optimiser.param_groups[0]["lr"] = rates[segment["first"] - 1 + k]
        optimiser.step()
        h = states[-1].detach()
    return history, {name: value.detach().numpy() for name, value in p.items()}


# --- measuring -----------------------------------------------------------------------------


def batch_loss(parameters, layout, x, y, weight):
    """Sum of losses and of weights, and what is predicted, for sequences from zeros."""
    with torch.no_grad():
        p = constants(parameters)
        x, y = as_inputs(x), as_inputs(y)
        h = torch.zeros(x.shape[1], p["W_hh"].shape[1], dtype=torch.float64)
        states = states_of(p, layout["cell"], x, h)
        losses = losses_of(p, layout["head"], states, y).numpy()
        guesses = (torch.stack(states) @ p["W_hy"].T + p["b_y"]).argmax(-1).numpy()
    return (losses * weight).sum(), weight.sum(), guesses + 1


def numpy_states(p, cell, tokens, h):
    f = numpy.tanh if cell == "tanh" else lambda v: numpy.maximum(v, 0)
    inputs = p["W_xh"].T[tokens] + p["b_h"]
    states = numpy.empty((len(tokens), len(h)))
    for t, row in enumerate(inputs):
        h = f(row + p["W_hh"] @ h)
        states[t] = h
    return states


def log_probabilities(p, states):
    logits = states @ p["W_hy"].T + p["b_y"]
    logits -= logits.max(axis=1, keepdims=True)
    return logits - numpy.log(numpy.exp(logits).sum(axis=1, keepdims=True))


def text_loss(p, cell, tokens):
    """Mean loss of each token but the first, the state carried from zeros."""
    p = values_of(p)
    states = numpy_states(p, cell, tokens[:-1], numpy.zeros(p["W_hh"].shape[0]))
    logs = log_probabilities(p, states)
    return -logs[numpy.arange(len(tokens) - 1), tokens[1:]].mean()


def gradient_norms(parameters, layout, x, y, h, which):
    """|dL/dh_t| by PyTorch, in the order of time; the loss is the last one, or the sum."""
    p = constants(parameters)
    x, y = as_inputs(x), as_inputs(y)
    if h is None:
        h = torch.zeros(x.shape[1], p["W_hh"].shape[1], dtype=torch.float64)
    inputs, states = p["W_xh"].T[x], []
    for t in range(x.shape[0]):
        h = FUNCTIONS[layout["cell"]](inputs[t] + h @ p["W_hh"].T + p["b_h"])
        h.requires_grad_() if t == 0 else h.retain_grad()
        states.append(h)
    losses = losses_of(p, layout["head"], states, y).sum(1) / y.shape[1]
    loss = losses[-1] if which == "last" else losses.sum()
    loss.backward()
    return numpy.array([h.grad.norm().item() if h.grad is not None else 0.0
                        for h in states]), loss.item()


def gradient_ratios(parameters, layout, x, y):
    """name -> norms of a parameter and of the gradient of the mean loss."""
    p, x, y = leaves(parameters), as_inputs(x), as_inputs(y)
    h = torch.zeros(x.shape[1], p["W_hh"].shape[1], dtype=torch.float64)
    losses_of(p, layout["head"], states_of(p, layout["cell"], x, h), y).mean().backward()
    return {name: {"gradient": value.grad.norm().item(), "parameter": value.norm().item()}
            for name, value in p.items()}


def jacobians(p, cell, tokens, h):
    states = numpy_states(p, cell, tokens, h)
    return SLOPES[cell](states)[:, :, None] * p["W_hh"][None]
