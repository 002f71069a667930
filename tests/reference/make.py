#!/usr/bin/env python3
"""Makes the reference numbers that tests/lua/test_reference.lua compares unroll with.

    python3 tests/reference/make.py --seed 1      # writes tests/reference/seed1.json
    python3 tests/reference/make.py --seed 7 --out /tmp/7.json
    UNROLL_REFERENCE=/tmp/7.json unroll tests/run.lua reference

Needs PyTorch and numpy only. Everything is computed by PyTorch in float64: torch.nn.RNN,
torch.nn.LSTM, torch.nn.GRU, torch.nn.functional, torch.optim and torch.nn.utils; no formula
of unroll's is repeated here, but for the GRU with the reset gate before the product, of which
PyTorch has no module: its step is written out, its gradients are autograd's. Seed 1 has the
committed sizes; any other seed draws the sizes, too. The same seed gives the same file.

The file is one JSON object:
  cells       forward and backward of single layers: outputs ys, last states h_end (and
              c_end), and, for the linear functional sum(dys * ys) + sum(dh_end * h_end)
              (+ sum(dc_end * c_end)), the gradients of all parameters, of dense inputs, of
              the initial states, and the norm of its gradient with respect to each h_t
  models      stacks with a read-out, softmax cross-entropy or squared error: outputs,
              last states and, for several weights and reductions, the loss and all
              gradients
  optimisers  ten steps each from the same weights on the same data: losses, parameters
  clips       gradients before and after clipping by norm and by value
  files       modules whose state dicts are in .safetensors files beside the JSON file
              (with PyTorch's names and both their biases): inputs and outputs
Tokens count from 1. Matrices are (out, in), sequences (T, B, ...), gates stacked as PyTorch
does. b_h is the sum of PyTorch's two biases; its gradient is that of either. The GRU's b_hn is
the last block of bias_hh, where b_h is that of bias_ih.

A problem for which PyTorch's own float32 result is further than 1e-5 from its float64
result (a relu input close to 0, a gradient that is rounding noise) is drawn again: it
could not tell a right float32 result from a wrong one.
"""

import argparse
import json
import os
import struct

try:
    import numpy
    import torch
    from torch.nn import functional
except ImportError as missing:
    raise SystemExit(f"make.py: {missing}. `scripts/setup --peers` installs PyTorch and numpy for "
                     "the system's Python: /usr/bin/python3 tests/reference/make.py ...")

CONDITION = 1e-5  # PyTorch's own float32 must be this close, max|a-b| / max|b|

# name: T, B, I (vocabulary for tokens), H, tokens?, initial state?
CELL_SIZES = {
    "dense": (6, 3, 4, 5, False, False),
    "dense with a state": (5, 2, 3, 4, False, True),
    "tokens": (7, 3, 5, 4, True, False),
    "tokens with a state": (6, 2, 7, 5, True, True),
    "one step": (1, 3, 4, 5, False, True),
    "one sequence": (6, 1, 5, 3, True, True),
    "one unit": (5, 2, 3, 1, False, True),
    "two symbols": (6, 2, 2, 3, True, True),
    "all one": (1, 1, 1, 1, False, False),
}

# name: T, B, I, H, V (symbols of the output), layers, tokens?, initial state?
MODEL_SIZES = {
    "tokens": (6, 3, 5, 4, 5, 1, True, False),
    "tokens with a state": (5, 2, 6, 4, 6, 1, True, True),
    "dense": (4, 2, 3, 5, 4, 1, False, True),
    "two layers": (5, 2, 6, 4, 6, 2, True, True),
    "two layers, dense": (4, 3, 3, 4, 5, 2, False, False),
    "linear read-out": (4, 2, 3, 4, 2, 1, False, True),
    "one step": (1, 3, 4, 3, 4, 1, True, True),
    "one sequence": (6, 1, 5, 3, 5, 1, True, False),
    "one unit": (5, 2, 4, 1, 4, 1, True, True),
    "two symbols": (6, 2, 2, 3, 2, 1, True, False),
}

OPTIMISERS = [
    ("sgd", {"lr": 0.1}),
    ("sgd", {"lr": 0.05, "momentum": 0.9}),
    ("sgd", {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    ("sgd", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.02}),
    ("adagrad", {"lr": 0.05}),
    ("adagrad", {"lr": 0.05, "lr_decay": 0.1, "weight_decay": 0.01,
                 "initial_accumulator_value": 0.2, "eps": 1e-6}),
    ("rmsprop", {"lr": 0.005}),
    ("rmsprop", {"lr": 0.005, "alpha": 0.9, "centered": True, "eps": 1e-5}),
    ("rmsprop", {"lr": 0.002, "alpha": 0.95, "momentum": 0.9, "centered": True,
                 "weight_decay": 0.01}),
    ("rmsprop", {"lr": 0.005, "momentum": 0.5}),
    ("adam", {}),
    ("adam", {"lr": 0.01, "betas": [0.8, 0.95], "eps": 1e-6, "weight_decay": 0.02}),
    ("adamw", {}),
    ("adamw", {"lr": 0.01, "betas": [0.85, 0.99], "weight_decay": 0.1}),
]
TORCH_OPTIMISERS = {
    "sgd": torch.optim.SGD, "adagrad": torch.optim.Adagrad, "adam": torch.optim.Adam,
    "rmsprop": torch.optim.RMSprop, "adamw": torch.optim.AdamW,
}
STEPS = 10


class IllConditioned(Exception):
    """float32 cannot settle this problem."""


def draw_size(rng):
    """Mostly 1 to 9; one in five is large enough to need several vectors."""
    return int(rng.integers(10, 40) if rng.random() < 0.2 else rng.integers(1, 10))


def draw_sizes(rng, sizes):
    """The same kinds of cases with other sizes."""
    drawn = {}
    for name, (steps, batch, inputs, hidden, *rest) in sizes.items():
        numbers = [draw_size(rng) for _ in range(5)]
        if len(rest) == 2:  # a cell
            tokens, state = rest
            drawn[name] = (*numbers[:2], max(2, numbers[2]) if tokens else numbers[2],
                           numbers[3], tokens, state)
        else:
            _, layers, tokens, state = rest
            vocabulary = max(2, numbers[4])
            inputs = vocabulary if tokens else numbers[2]
            drawn[name] = (*numbers[:2], inputs, numbers[3], vocabulary,
                           int(rng.integers(1, 4)) if layers > 1 else 1, tokens, state)
    return drawn


class Numbers:
    """Random tensors: float64 numbers and int64 tokens."""

    def __init__(self, rng):
        self.rng = rng

    def normal(self, *shape, scale=1.0):
        return torch.tensor(self.rng.normal(0, scale, shape))

    def tokens(self, count, *shape):
        return torch.tensor(self.rng.integers(0, count, shape))


def distance(a, b):
    """max|a-b| / max|b|, the agreement that the tests ask for."""
    if b.numel() == 0:
        return 0.0
    largest = b.abs().max().item()
    difference = (a.double() - b.double()).abs().max().item()
    return difference / largest if largest > 0 else difference


def tensors_in(result):
    if torch.is_tensor(result):
        yield result
    elif isinstance(result, dict):
        for key in sorted(result):
            yield from tensors_in(result[key])
    elif isinstance(result, (list, tuple)):
        for value in result:
            yield from tensors_in(value)


def settled(compute, *arguments):
    """compute(dtype) in float64, after float32 has agreed."""
    exact = compute(torch.float64, *arguments)
    rounded = compute(torch.float32, *arguments)
    for a, b in zip(tensors_in(rounded), tensors_in(exact)):
        if distance(a, b) > CONDITION:
            raise IllConditioned
    return exact


def drawn_until_settled(make, rng, *arguments):
    for _ in range(200):
        try:
            return make(Numbers(rng), *arguments)
        except IllConditioned:
            continue
    raise SystemExit("no well-conditioned problem among 200; try another seed")


# --- single layers -------------------------------------------------------------------------


def leaf(tensor, dtype):
    return None if tensor is None else tensor.to(dtype).clone().requires_grad_()


def as_input(x, symbols, dtype):
    """Dense numbers as they are, tokens as one-hot vectors."""
    if x.is_floating_point():
        return leaf(x, dtype)
    return functional.one_hot(x, symbols).to(dtype)


class GruBefore(torch.nn.GRU):
    """The GRU of Cho et al. 2014: n = tanh(W_xn x + b_n + W_hn (r h))."""

    def layer(self, k, xs, h):
        w_x, w_h, b_x, b_h = (getattr(self, f"{name}_l{k}") for name in (
            "weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        hidden, ys = self.hidden_size, []
        for x in xs:
            a = functional.linear(x, w_x, b_x + b_h)
            gates = a[:, :2 * hidden] + functional.linear(h, w_h[:2 * hidden])
            r, z = torch.sigmoid(gates).chunk(2, 1)
            n = torch.tanh(a[:, 2 * hidden:] + functional.linear(r * h, w_h[2 * hidden:]))
            h = (1 - z) * n + z * h
            ys.append(h)
        return torch.stack(ys), h

    def forward(self, xs, state=None):
        if state is None:
            state = torch.zeros(self.num_layers, xs.shape[1], self.hidden_size, dtype=xs.dtype)
        last = []
        for k in range(self.num_layers):
            xs, h = self.layer(k, xs, state[k])
            last.append(h)
        return xs, torch.stack(last)


# kind: module, what else it takes, gates, states, our name and options
KINDS = {
    "tanh": (torch.nn.RNN, {"nonlinearity": "tanh"}, 1, ("h",), "tanh", None),
    "relu": (torch.nn.RNN, {"nonlinearity": "relu"}, 1, ("h",), "relu", None),
    "lstm": (torch.nn.LSTM, {}, 4, ("h", "c"), "lstm", None),
    "gru": (torch.nn.GRU, {}, 3, ("h",), "gru", None),
    "gru before": (GruBefore, {}, 3, ("h",), "gru", {"reset": "before"}),
}


def named(rnn, kind, of=lambda parameter: parameter):
    """For each layer, by our names: its parameters, or what `of` makes of them."""
    layers = []
    for k in range(rnn.num_layers):
        layer = {ours: of(getattr(rnn, f"{theirs}_l{k}")) for ours, theirs in (
            ("W_xh", "weight_ih"), ("W_hh", "weight_hh"), ("b_h", "bias_ih"))}
        if kind == "gru":
            layer["b_hn"] = of(getattr(rnn, f"bias_hh_l{k}"))[2 * rnn.hidden_size:]
        layers.append(layer)
    return layers


def gradients_of(rnn, kind):
    return named(rnn, kind, lambda parameter: parameter.grad)


def new_rnn(kind, layers, dtype, share=0.25):
    """A module with the parameters of `layers`. A share of b_h is in bias_hh: only the sum
    matters, but for the new gate of the GRU."""
    module, options, *_ = KINDS[kind]
    hidden, inputs = layers[0]["W_hh"].shape[1], layers[0]["W_xh"].shape[1]
    rnn = module(inputs, hidden, len(layers), **options).to(dtype)
    with torch.no_grad():
        for k, layer in enumerate(layers):
            part = share * layer["b_h"]
            if kind == "gru":
                part[2 * hidden:] = 0
            getattr(rnn, f"weight_ih_l{k}").copy_(layer["W_xh"])
            getattr(rnn, f"weight_hh_l{k}").copy_(layer["W_hh"])
            getattr(rnn, f"bias_ih_l{k}").copy_(layer["b_h"] - part)
            second = getattr(rnn, f"bias_hh_l{k}")
            second.copy_(part)
            if kind == "gru":
                second[2 * hidden:] = layer["b_hn"]
    return rnn


def to_module(states, kind):
    """Initial states by name as the module takes them."""
    if states is None:
        return None
    return tuple(states[name] for name in KINDS[kind][3]) if kind == "lstm" else states["h"]


def from_module(state, kind):
    return dict(zip(KINDS[kind][3], state if kind == "lstm" else (state,)))


def leaves(states, dtype):
    return None if states is None else {name: leaf(t, dtype) for name, t in states.items()}


def random_states(numbers, kind, *shape):
    return {name: numbers.normal(*shape) for name in KINDS[kind][3]}


def detached(states, suffix=""):
    return {name + suffix: t.detach() for name, t in states.items()}


def input_gradients(inputs, states):
    found = {} if states is None else {name: t.grad for name, t in states.items()}
    if inputs.requires_grad:
        found["x"] = inputs.grad
    return found


def run_cell(dtype, kind, layer, x, states, dys, dends):
    rnn = new_rnn(kind, [layer], dtype)
    inputs = as_input(x, layer["W_xh"].shape[1], dtype)
    start = leaves(states, dtype)
    batch = None if start is None else {name: t[None] for name, t in start.items()}
    ys, last = rnn(inputs, to_module(batch, kind))
    last = {name: t[0] for name, t in from_module(last, kind).items()}
    functional_of(ys, last, dys, dends).backward()
    return {
        "ys": ys.detach(), **detached(last, "_end"),
        "gradients": {**gradients_of(rnn, kind)[0], **input_gradients(inputs, start)},
        "state_gradient_norms": state_gradient_norms(dtype, kind, layer, x, states, dys, dends),
    }


def functional_of(ys, last, dys, dends):
    total = (ys * dys.to(ys.dtype)).sum()
    for name, t in last.items():
        total = total + (t * dends[name].to(ys.dtype)).sum()
    return total


def state_gradient_norms(dtype, kind, layer, x, states, dys, dends):
    """|dL/dh_t| for each t, by one call a step."""
    rnn = new_rnn(kind, [layer], dtype)
    xs = as_input(x, layer["W_xh"].shape[1], dtype)
    if states is None:
        states = {name: torch.zeros(x.shape[1], rnn.hidden_size) for name in KINDS[kind][3]}
    state = {name: t[None].to(dtype) for name, t in states.items()}
    outputs = []
    for t in range(x.shape[0]):
        state = from_module(rnn(xs[t:t + 1], to_module(state, kind))[1], kind)
        state["h"].retain_grad()
        outputs.append(state["h"])
    last = {name: t[0] for name, t in state.items()}
    functional_of(torch.cat(outputs), last, dys, dends).backward()
    return torch.stack([h.grad.norm() for h in outputs])


def random_layer(numbers, kind, inputs, hidden):
    rows = KINDS[kind][2] * hidden
    layer = {
        "W_xh": numbers.normal(rows, inputs, scale=0.7),
        "W_hh": numbers.normal(rows, hidden, scale=0.9 / hidden ** 0.5),
        "b_h": numbers.normal(rows, scale=0.3),
    }
    if kind == "gru":
        layer["b_hn"] = numbers.normal(hidden, scale=0.3)
    return layer


def cell_of(kind):
    return {"cell": KINDS[kind][4], "options": KINDS[kind][5]}


def make_cell(numbers, name, kind, sizes):
    steps, batch, inputs, hidden, tokens, with_state = sizes
    layer = random_layer(numbers, kind, inputs, hidden)
    x = numbers.tokens(inputs, steps, batch) if tokens else numbers.normal(steps, batch, inputs)
    states = random_states(numbers, kind, batch, hidden) if with_state else None
    dys = numbers.normal(steps, batch, hidden)
    dends = random_states(numbers, kind, batch, hidden)
    result = settled(run_cell, kind, layer, x, states, dys, dends)
    return {
        "name": f"{kind}, {name}", **cell_of(kind), "input": inputs, "hidden": hidden,
        "parameters": layer, "x": x, **(states or {}), "dys": dys,
        **{f"d{key}_end": value for key, value in dends.items()}, **result,
    }


# --- models --------------------------------------------------------------------------------


def forward_model(dtype, kind, model, x, states):
    rnn = new_rnn(kind, model["layers"], dtype)
    inputs = as_input(x, model["layers"][0]["W_xh"].shape[1], dtype)
    start = leaves(states, dtype)
    head = {name: leaf(model[name], dtype) for name in ("W_hy", "b_y")}
    ys, last = rnn(inputs, to_module(start, kind))
    outputs = functional.linear(ys, head["W_hy"], head["b_y"])
    return outputs, from_module(last, kind), inputs, start, rnn, head


def loss_of(outputs, y, weight, reduction):
    """Cross-entropy with labels, squared error with numbers (a mean over the outputs, too,
    as PyTorch has it)."""
    columns = 1
    if y.is_floating_point():
        losses = functional.mse_loss(outputs, y.to(outputs.dtype), reduction="none").sum(-1)
        columns = y.shape[-1]
    else:
        losses = functional.cross_entropy(
            outputs.flatten(0, 1), y.flatten(), reduction="none").view(y.shape)
    weight = torch.ones_like(losses) if weight is None else weight.to(losses.dtype)
    total = (losses * weight).sum()
    return total / (weight.sum() * columns) if reduction == "mean" else total


def run_loss(dtype, kind, model, x, y, states, weight, reduction):
    outputs, _, inputs, start, rnn, head = forward_model(dtype, kind, model, x, states)
    loss = loss_of(outputs, y, weight, reduction)
    loss.backward()
    return {"loss": loss.detach(), "gradients": {
        "layers": gradients_of(rnn, kind), "W_hy": head["W_hy"].grad, "b_y": head["b_y"].grad,
        **input_gradients(inputs, start),
    }}


def run_outputs(dtype, kind, model, x, states):
    outputs, last, *_ = forward_model(dtype, kind, model, x, states)
    return {"outputs": outputs.detach(), **detached(last, "_end")}


def random_model(numbers, kind, inputs, hidden, vocabulary, layers):
    stack = [random_layer(numbers, kind, inputs if k == 0 else hidden, hidden)
             for k in range(layers)]
    return {
        "layers": stack, "W_hy": numbers.normal(vocabulary, hidden, scale=0.8),
        "b_y": numbers.normal(vocabulary, scale=0.3),
    }


def loss_kinds(numbers, steps, batch):
    """What is summed: all, with random weights, up to each sequence's end, the last step."""
    lengths = numbers.rng.integers(1, steps + 1, batch)
    lengths[0] = steps
    mask = torch.arange(steps)[:, None] < torch.tensor(lengths)[None, :]
    last = torch.zeros(steps, batch, dtype=torch.float64)
    last[-1] = 1
    random = torch.tensor(numbers.rng.uniform(0.2, 2, (steps, batch)))
    return [
        ("mean", None), ("sum", None), ("mean", random), ("sum", mask.double()),
        ("mean", mask.double()), ("mean", last),
    ]


def make_model(numbers, name, kind, sizes):
    steps, batch, inputs, hidden, vocabulary, layers, tokens, with_state = sizes
    model = random_model(numbers, kind, inputs, hidden, vocabulary, layers)
    x = numbers.tokens(inputs, steps, batch) if tokens else numbers.normal(steps, batch, inputs)
    y = (numbers.normal(steps, batch, vocabulary) if name.startswith("linear")
         else numbers.tokens(vocabulary, steps, batch))
    states = random_states(numbers, kind, layers, batch, hidden) if with_state else None
    losses = []
    kinds = loss_kinds(numbers, steps, batch)
    for reduction, weight in kinds if kind == "tanh" else kinds[::3]:
        result = settled(run_loss, kind, model, x, y, states, weight, reduction)
        losses.append({"reduction": reduction, "weight": weight, **result})
    outputs = settled(run_outputs, kind, model, x, states)
    return {
        "name": f"{kind}, {name}", **cell_of(kind), "input": inputs, "hidden": hidden,
        "output": vocabulary, "parameters": model, "x": x, "y": y, **(states or {}), **outputs,
        "losses": losses,
    }


def make_extreme(numbers):
    """Logits of +-1e4: the softmax must neither overflow nor give NaN."""
    steps, batch, inputs, hidden, vocabulary = 3, 2, 4, 3, 4
    model = random_model(numbers, "tanh", inputs, hidden, vocabulary, 1)
    model["b_y"] = torch.tensor([1e4, -1e4, 0.0, 5e3], dtype=torch.float64)
    x = numbers.tokens(inputs, steps, batch)
    y = torch.tensor([[0, 1], [2, 3], [1, 0]])
    losses = []
    for reduction in ("mean", "sum"):
        result = settled(run_loss, "tanh", model, x, y, None, None, reduction)
        losses.append({"reduction": reduction, "weight": None, **result})
    outputs = settled(run_outputs, "tanh", model, x, None)
    return {
        "name": "logits of +-1e4", "cell": "tanh", "input": inputs, "hidden": hidden,
        "output": vocabulary, "parameters": model, "x": x, "y": y, "h": None, **outputs,
        "losses": losses,
    }


# --- optimisers ----------------------------------------------------------------------------


def trained_parameters(rnn, kind):
    """One bias only, so that weight decay sees our b_h; of the GRU's second one the last block."""
    trained = [p for layer in named(rnn, kind) for name, p in layer.items() if name != "b_hn"]
    for k in range(rnn.num_layers):
        second = getattr(rnn, f"bias_hh_l{k}")
        if kind == "gru":
            is_own = torch.arange(len(second)) >= 2 * rnn.hidden_size
            second.register_hook(lambda gradient: gradient * is_own)
            trained.append(second)
        else:
            second.requires_grad_(False)
    return trained


def run_optimiser(dtype, algorithm, options, kind, model, x, y):
    rnn = new_rnn(kind, model["layers"], dtype, share=0)
    head = {name: leaf(model[name], dtype) for name in ("W_hy", "b_y")}
    inputs = as_input(x, model["layers"][0]["W_xh"].shape[1], dtype)
    trained = trained_parameters(rnn, kind) + list(head.values())
    optimiser = TORCH_OPTIMISERS[algorithm](trained, **options)
    losses = []
    for _ in range(STEPS):
        ys, _ = rnn(inputs)
        loss = loss_of(functional.linear(ys, head["W_hy"], head["b_y"]), y, None, "mean")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return {
        "losses": torch.stack(losses),
        "parameters": {
            "layers": named(rnn, kind, torch.Tensor.detach),
            **{name: p.detach() for name, p in head.items()},
        },
    }


def make_optimisers(numbers, kind, optimisers, sizes):
    steps, batch, vocabulary, hidden = sizes
    model = random_model(numbers, kind, vocabulary, hidden, vocabulary, 1)
    x = numbers.tokens(vocabulary, steps, batch)
    y = numbers.tokens(vocabulary, steps, batch)
    runs = []
    for algorithm, options in optimisers:
        result = settled(run_optimiser, algorithm, options, kind, model, x, y)
        runs.append({"algorithm": algorithm, "options": options, **result})
    return {
        **cell_of(kind), "input": vocabulary, "hidden": hidden, "output": vocabulary,
        "parameters": model, "x": x, "y": y, "runs": runs,
    }


# --- clipping ------------------------------------------------------------------------------


def make_clip(numbers, limit, by):
    before = {"W": numbers.normal(3, 4), "U": numbers.normal(2, 2, scale=5), "b": numbers.normal(4)}
    parameters = [torch.zeros_like(g).requires_grad_() for g in before.values()]
    for p, g in zip(parameters, before.values()):
        p.grad = g.clone()
    if by == "norm":
        norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
    else:
        norm = torch.stack([p.grad.norm() for p in parameters]).norm()
        torch.nn.utils.clip_grad_value_(parameters, limit)
    after = {name: p.grad for name, p in zip(before, parameters)}
    return {"by": by, "limit": limit, "norm": norm, "before": before, "after": after}


# --- a module in a file --------------------------------------------------------------------


class Network(torch.nn.Module):
    def __init__(self, kind, inputs, hidden, outputs):
        super().__init__()
        module, options, *_ = KINDS[kind]
        self.rnn = module(inputs, hidden, 2, **options)
        self.linear = torch.nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.linear(self.rnn(x)[0])


def write_safetensors(path, tensors):
    """The length of the header, the header as JSON, the numbers."""
    header, blocks, offset = {}, [], 0
    for name, tensor in tensors.items():
        block = tensor.numpy().tobytes()
        header[name] = {"dtype": "F64", "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(block)]}
        offset += len(block)
        blocks.append(block)
    text = json.dumps(header).encode("ascii")
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blocks))


def make_file(numbers, kind, path):
    network = Network(kind, 4, 3, 4).double()
    for parameter in network.parameters():
        parameter.data = numbers.normal(*parameter.shape, scale=0.6)
    suffix = "" if kind == "tanh" else "_" + kind
    write_safetensors(os.path.splitext(path)[0] + suffix + ".safetensors", network.state_dict())
    x = numbers.tokens(4, 5, 2)
    outputs = network(as_input(x, 4, torch.float64))
    return {"cell": kind, "suffix": suffix, "hidden": 3, "layers": 2, "x": x,
            "outputs": outputs.detach()}


# --- the file ------------------------------------------------------------------------------


def plain(value):
    """Tensors as nested lists, tokens counted from 1; None is left out."""
    if torch.is_tensor(value):
        if value.is_floating_point():
            return value.tolist()
        return (value + 1).tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


SIMPLE, GATED = ("tanh", "relu"), ("lstm", "gru", "gru before")


def make_layers(rng, kinds, cells, models):
    return ([drawn_until_settled(make_cell, rng, name, kind, sizes)
             for kind in kinds for name, sizes in cells.items()],
            [drawn_until_settled(make_model, rng, name, kind, sizes)
             for kind in kinds for name, sizes in models.items()])


def make_gated(rng, cells, models, optimiser_sizes, path):
    """What there is for the simple cells, from random numbers of its own."""
    groups = dict(zip(("cells", "models"), make_layers(rng, GATED, cells, models)))
    groups["optimisers"] = [
        drawn_until_settled(make_optimisers, rng, kind, OPTIMISERS[2::4], optimiser_sizes)
        for kind in GATED]
    groups["files"] = [make_file(Numbers(rng), kind, path) for kind in GATED[:2]]
    return groups


def make(seed, path):
    rng = numpy.random.default_rng(seed)
    committed = seed == 1
    cells = CELL_SIZES if committed else draw_sizes(rng, CELL_SIZES)
    models = MODEL_SIZES if committed else draw_sizes(rng, MODEL_SIZES)
    optimiser_sizes = (6, 3, 5, 4) if committed else tuple(
        int(n) for n in rng.integers(2, 9, 4))
    groups = dict(zip(("cells", "models"), make_layers(rng, SIMPLE, cells, models)))
    groups["models"].append(drawn_until_settled(make_extreme, rng))
    groups["optimisers"] = [
        drawn_until_settled(make_optimisers, rng, "tanh", OPTIMISERS, optimiser_sizes)]
    groups["clips"] = [make_clip(Numbers(rng), limit, by)
                       for by, limits in (("norm", (1.0, 5.0, 1e3)), ("value", (0.5, 3.0)))
                       for limit in limits]
    groups["files"] = [make_file(Numbers(rng), "tanh", path)]
    gated = make_gated(numpy.random.default_rng((seed, 2)), cells, models, optimiser_sizes, path)
    return {name: cases + gated.get(name, []) for name, cases in groups.items()}


def write(path, seed, groups):
    """One case a line, so that a difference between two files can be read."""
    with open(path, "w", encoding="ascii") as file:
        file.write(f'{{"seed": {seed}, "pytorch": "{torch.__version__}"')
        for name, cases in groups.items():
            lines = ",\n".join(json.dumps(plain(case), allow_nan=False) for case in cases)
            file.write(f',\n"{name}": [\n{lines}\n]')
        file.write("\n}\n")


def main():
    parser = argparse.ArgumentParser(description="Makes reference numbers with PyTorch.")
    parser.add_argument("--seed", type=int, default=1, help="1 has the committed sizes")
    parser.add_argument("--out", help="default: seedN.json beside this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    path = options.out or os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                       f"seed{options.seed}.json")
    write(path, options.seed, make(options.seed, path))
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
