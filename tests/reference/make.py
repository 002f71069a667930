#!/usr/bin/env python3
"""Makes the reference numbers that tests/lua/test_reference.lua compares unroll with.

    python3 tests/reference/make.py --seed 1      # writes tests/reference/seed1.json
    python3 tests/reference/make.py --seed 7 --out /tmp/7.json
    UNROLL_REFERENCE=/tmp/7.json unroll tests/run.lua reference

Needs PyTorch and numpy only. Everything is computed by PyTorch in float64: torch.nn.RNN,
torch.nn.functional, torch.optim and torch.nn.utils; no formula of unroll's is repeated
here. Seed 1 has the committed sizes; any other seed draws the sizes, too. The same seed
gives the same file.

The file is one JSON object:
  cells       forward and backward of single layers: outputs ys, last state h_end, and,
              for the linear functional sum(dys * ys) + sum(dh_end * h_end), the gradients
              of all parameters, of dense inputs, of the initial state, and the norm of
              the functional's gradient with respect to each h_t
  models      stacks with a read-out, softmax cross-entropy or squared error: outputs,
              last states and, for several weights and reductions, the loss and all
              gradients
  optimisers  ten steps each from the same weights on the same data: losses, parameters
  clips       gradients before and after clipping by norm and by value
  files       a module whose state dict is in the .safetensors file beside the JSON file
              (with PyTorch's names and both its biases): inputs and outputs
Tokens count from 1. Matrices are (out, in), sequences (T, B, ...). b_h is the sum of
PyTorch's two biases; its gradient is that of either.

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


def new_rnn(kind, layers, dtype):
    """nn.RNN with the parameters of `layers`, and the same parameters by our names."""
    hidden, inputs = layers[0]["W_xh"].shape
    rnn = torch.nn.RNN(inputs, hidden, len(layers), nonlinearity=kind).to(dtype)
    named = []
    with torch.no_grad():
        for k, layer in enumerate(layers):
            theirs = {
                "W_xh": getattr(rnn, f"weight_ih_l{k}"),
                "W_hh": getattr(rnn, f"weight_hh_l{k}"),
                "b_h": getattr(rnn, f"bias_ih_l{k}"),
            }
            for name, parameter in theirs.items():
                parameter.copy_(layer[name])
            # a part of the bias in bias_hh: only the sum matters
            part = 0.25 * layer["b_h"]
            theirs["b_h"].copy_(layer["b_h"] - part)
            getattr(rnn, f"bias_hh_l{k}").copy_(part)
            named.append(theirs)
    return rnn, named


def run_cell(dtype, kind, layer, x, h0, dys, dh_end):
    rnn, named = new_rnn(kind, [layer], dtype)
    inputs = as_input(x, layer["W_xh"].shape[1], dtype)
    state = leaf(h0, dtype)
    ys, h_end = rnn(inputs, None if state is None else state[None])
    total = (ys * dys.to(dtype)).sum() + (h_end[0] * dh_end.to(dtype)).sum()
    total.backward()
    gradients = {name: p.grad for name, p in named[0].items()}
    if inputs.requires_grad:
        gradients["x"] = inputs.grad
    if state is not None:
        gradients["h"] = state.grad
    return {
        "ys": ys.detach(), "h_end": h_end[0].detach(), "gradients": gradients,
        "state_gradient_norms": state_gradient_norms(dtype, kind, layer, x, h0, dys, dh_end),
    }


def state_gradient_norms(dtype, kind, layer, x, h0, dys, dh_end):
    """|dL/dh_t| for each t, by one RNNCell call a step."""
    hidden, inputs = layer["W_xh"].shape
    cell = torch.nn.RNNCell(inputs, hidden, nonlinearity=kind).to(dtype)
    with torch.no_grad():
        cell.weight_ih.copy_(layer["W_xh"])
        cell.weight_hh.copy_(layer["W_hh"])
        cell.bias_ih.copy_(layer["b_h"])
        cell.bias_hh.zero_()
    xs = as_input(x, inputs, dtype)
    h = torch.zeros(x.shape[1], hidden, dtype=dtype) if h0 is None else h0.to(dtype)
    states = []
    for t in range(x.shape[0]):
        h = cell(xs[t], h)
        h.retain_grad()
        states.append(h)
    total = sum((h * dy.to(dtype)).sum() for h, dy in zip(states, dys))
    (total + (h * dh_end.to(dtype)).sum()).backward()
    return torch.stack([h.grad.norm() for h in states])


def random_layer(numbers, inputs, hidden):
    return {
        "W_xh": numbers.normal(hidden, inputs, scale=0.7),
        "W_hh": numbers.normal(hidden, hidden, scale=0.9 / hidden ** 0.5),
        "b_h": numbers.normal(hidden, scale=0.3),
    }


def make_cell(numbers, name, kind, sizes):
    steps, batch, inputs, hidden, tokens, with_state = sizes
    layer = random_layer(numbers, inputs, hidden)
    x = numbers.tokens(inputs, steps, batch) if tokens else numbers.normal(steps, batch, inputs)
    h0 = numbers.normal(batch, hidden) if with_state else None
    dys = numbers.normal(steps, batch, hidden)
    dh_end = numbers.normal(batch, hidden)
    result = settled(run_cell, kind, layer, x, h0, dys, dh_end)
    return {
        "name": f"{kind}, {name}", "cell": kind, "input": inputs, "hidden": hidden,
        "parameters": layer, "x": x, "h": h0, "dys": dys, "dh_end": dh_end, **result,
    }


# --- models --------------------------------------------------------------------------------


def forward_model(dtype, kind, model, x, h0):
    rnn, named = new_rnn(kind, model["layers"], dtype)
    inputs = as_input(x, model["layers"][0]["W_xh"].shape[1], dtype)
    state = leaf(h0, dtype)
    head = {name: leaf(model[name], dtype) for name in ("W_hy", "b_y")}
    ys, h_end = rnn(inputs, state)
    outputs = functional.linear(ys, head["W_hy"], head["b_y"])
    return outputs, h_end, inputs, state, named, head


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


def run_loss(dtype, kind, model, x, y, h0, weight, reduction):
    outputs, _, inputs, state, named, head = forward_model(dtype, kind, model, x, h0)
    loss = loss_of(outputs, y, weight, reduction)
    loss.backward()
    gradients = {
        "layers": [{name: p.grad for name, p in layer.items()} for layer in named],
        "W_hy": head["W_hy"].grad, "b_y": head["b_y"].grad,
    }
    if inputs.requires_grad:
        gradients["x"] = inputs.grad
    if state is not None:
        gradients["h"] = state.grad
    return {"loss": loss.detach(), "gradients": gradients}


def run_outputs(dtype, kind, model, x, h0):
    outputs, h_end, *_ = forward_model(dtype, kind, model, x, h0)
    return {"outputs": outputs.detach(), "h_end": h_end.detach()}


def random_model(numbers, inputs, hidden, vocabulary, layers):
    stack = [random_layer(numbers, inputs if k == 0 else hidden, hidden) for k in range(layers)]
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
    model = random_model(numbers, inputs, hidden, vocabulary, layers)
    x = numbers.tokens(inputs, steps, batch) if tokens else numbers.normal(steps, batch, inputs)
    y = (numbers.normal(steps, batch, vocabulary) if name.startswith("linear")
         else numbers.tokens(vocabulary, steps, batch))
    h0 = numbers.normal(layers, batch, hidden) if with_state else None
    losses = []
    kinds = loss_kinds(numbers, steps, batch)
    for reduction, weight in kinds if kind == "tanh" else kinds[::3]:
        result = settled(run_loss, kind, model, x, y, h0, weight, reduction)
        losses.append({"reduction": reduction, "weight": weight, **result})
    outputs = settled(run_outputs, kind, model, x, h0)
    return {
        "name": f"{kind}, {name}", "cell": kind, "input": inputs, "hidden": hidden,
        "output": vocabulary, "parameters": model, "x": x, "y": y, "h": h0, **outputs,
        "losses": losses,
    }


def make_extreme(numbers):
    """Logits of +-1e4: the softmax must neither overflow nor give NaN."""
    steps, batch, inputs, hidden, vocabulary = 3, 2, 4, 3, 4
    model = random_model(numbers, inputs, hidden, vocabulary, 1)
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


def run_optimiser(dtype, algorithm, options, kind, model, x, y):
    rnn, named = new_rnn(kind, model["layers"], dtype)
    for k in range(len(named)):  # one bias only, so that weight decay sees our b_h
        with torch.no_grad():
            named[k]["b_h"].copy_(model["layers"][k]["b_h"])
            getattr(rnn, f"bias_hh_l{k}").zero_()
        getattr(rnn, f"bias_hh_l{k}").requires_grad_(False)
    head = {name: leaf(model[name], dtype) for name in ("W_hy", "b_y")}
    inputs = as_input(x, model["layers"][0]["W_xh"].shape[1], dtype)
    trained = [p for layer in named for p in layer.values()] + list(head.values())
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
            "layers": [{n: p.detach() for n, p in layer.items()} for layer in named],
            **{name: p.detach() for name, p in head.items()},
        },
    }


def make_optimisers(numbers, sizes):
    steps, batch, vocabulary, hidden = sizes
    model = random_model(numbers, vocabulary, hidden, vocabulary, 1)
    x = numbers.tokens(vocabulary, steps, batch)
    y = numbers.tokens(vocabulary, steps, batch)
    runs = []
    for algorithm, options in OPTIMISERS:
        result = settled(run_optimiser, algorithm, options, "tanh", model, x, y)
        runs.append({"algorithm": algorithm, "options": options, **result})
    return {
        "cell": "tanh", "input": vocabulary, "hidden": hidden, "output": vocabulary,
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
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.rnn = torch.nn.RNN(inputs, hidden, 2)
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


def make_file(numbers, path):
    network = Network(4, 3, 4).double()
    for parameter in network.parameters():
        parameter.data = numbers.normal(*parameter.shape, scale=0.6)
    write_safetensors(path, network.state_dict())
    x = numbers.tokens(4, 5, 2)
    outputs = network(as_input(x, 4, torch.float64))
    return {"cell": "tanh", "hidden": 3, "layers": 2, "x": x, "outputs": outputs.detach()}


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


def make(seed, path):
    rng = numpy.random.default_rng(seed)
    committed = seed == 1
    cells = CELL_SIZES if committed else draw_sizes(rng, CELL_SIZES)
    models = MODEL_SIZES if committed else draw_sizes(rng, MODEL_SIZES)
    optimiser_sizes = (6, 3, 5, 4) if committed else tuple(
        int(n) for n in rng.integers(2, 9, 4))
    kinds = ("tanh", "relu")
    return {
        "cells": [drawn_until_settled(make_cell, rng, name, kind, sizes)
                  for kind in kinds for name, sizes in cells.items()],
        "models": [drawn_until_settled(make_model, rng, name, kind, sizes)
                   for kind in kinds for name, sizes in models.items()]
        + [drawn_until_settled(make_extreme, rng)],
        "optimisers": [drawn_until_settled(make_optimisers, rng, optimiser_sizes)],
        "clips": [make_clip(Numbers(rng), limit, by)
                  for by, limits in (("norm", (1.0, 5.0, 1e3)), ("value", (0.5, 3.0)))
                  for limit in limits],
        "files": [make_file(Numbers(rng), os.path.splitext(path)[0] + ".safetensors")],
    }


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
