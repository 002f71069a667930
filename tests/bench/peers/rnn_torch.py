#!/usr/bin/env python3
"""rnn_torch.py -- PyTorch's side of scripts/bench, one request a line (see ../worker.lua):

    train CELL H T B OPTIMIZER SECONDS, generate CELL H SECONDS, threads N, rss
    generate_by_hand CELL H SECONDS: not by a module, but by products of matrix and vector

A training is timed in each form that PyTorch offers, and the best one is kept for the next
time: one-hot vectors or an embedding into nn.RNN, nn.LSTM, nn.GRU; for tanh also rows of the
input matrix picked by token, and the recurrence as a loop over the steps. Tried, and slower or
the same with version 1.13: that loop compiled by torch.jit.script, a matrix-vector product for
a single row, optimisers with foreach, a clip by torch._foreach_norm.
    rnn_torch.py once CELL H T B OPTIMIZER    one step, then the end: for start and memory
"""
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

V = 65
torch.set_num_threads(1)
torch.set_flush_denormal(True)
LAYERS = {"tanh": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CELLS = {"tanh": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


class OneHot(nn.Module):
    def __init__(self, cell, hidden):
        super().__init__()
        self.layer = LAYERS[cell](V, hidden)
        self.head = nn.Linear(hidden, V)

    def forward(self, x, state):
        y, state = self.layer(F.one_hot(x, V).to(torch.float32), state)
        return self.head(y), state


class Embedded(nn.Module):
    def __init__(self, cell, hidden):
        super().__init__()
        self.embedding = nn.Embedding(V, 64)
        self.layer = LAYERS[cell](64, hidden)
        self.head = nn.Linear(hidden, V)

    def forward(self, x, state):
        y, state = self.layer(self.embedding(x), state)
        return self.head(y), state


class Loop(nn.Module):
    def __init__(self, cell, hidden):
        super().__init__()
        self.rows = nn.Embedding(V, hidden)
        self.recurrent = nn.Parameter(0.05 * torch.randn(hidden, hidden))
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.head = nn.Linear(hidden, V)
        self.hidden = hidden

    def forward(self, x, state):
        h = torch.zeros(x.shape[1], self.hidden) if state is None else state
        states = []
        for a in (self.rows(x) + self.bias).unbind(0):
            h = torch.tanh(torch.addmm(a, h, self.recurrent))
            states.append(h)
        return self.head(torch.stack(states)), h


def detached(state):
    if isinstance(state, tuple):
        return tuple(s.detach() for s in state)
    return state.detach()


class Training:
    def __init__(self, form, cell, H, T, B, optimizer):
        torch.manual_seed(1)
        self.model, self.T, self.B, self.kind = form(cell, H), T, B, optimizer
        self.parameters = list(self.model.parameters())
        if optimizer == "adagrad":
            self.optimizer = torch.optim.Adagrad(self.parameters, lr=0.1)
        else:
            self.optimizer = torch.optim.Adam(self.parameters, lr=2e-3)
        self.tokens = torch.randint(0, V, (20 * T + 1, B))
        self.at, self.state = 0, None

    def step(self):
        if self.at + self.T >= len(self.tokens):
            self.at, self.state = 0, None
        x = self.tokens[self.at:self.at + self.T]
        y = self.tokens[self.at + 1:self.at + self.T + 1]
        self.at += self.T
        logits, state = self.model(x, self.state)
        self.state = detached(state)
        reduction = "sum" if self.kind == "adagrad" else "mean"
        loss = F.cross_entropy(logits.reshape(-1, V), y.reshape(-1), reduction=reduction)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.kind == "adagrad":
            nn.utils.clip_grad_value_(self.parameters, 5.0)
        else:
            nn.utils.clip_grad_norm_(self.parameters, 5.0)
        self.optimizer.step()

    def rate(self, seconds):
        start = time.perf_counter()
        self.step()
        count = max(1, round(seconds / (time.perf_counter() - start)))
        start = time.perf_counter()
        for _ in range(count):
            self.step()
        return count * self.T * self.B / (time.perf_counter() - start)


kept = {}


def train(cell, H, T, B, optimizer, seconds):
    key = (cell, H, T, B, optimizer, torch.get_num_threads())
    if key not in kept:
        forms = [OneHot, Embedded] + ([Loop] if cell == "tanh" else [])
        trainings = [Training(form, cell, int(H), int(T), int(B), optimizer) for form in forms]
        for t in trainings:
            t.step()
        kept[key] = max(trainings, key=lambda t: t.rate(seconds / 2))
    return kept[key].rate(seconds)


def by_layer(cell, H, length):
    net, x, state = OneHot(cell, H), torch.zeros(1, 1, dtype=torch.long), None
    for _ in range(length):
        logits, state = net(x, state)
        x = torch.multinomial(F.softmax(logits.view(1, V), 1), 1)
        int(x)


def by_cell(cell, H, length):
    step, head = CELLS[cell](V, H), nn.Linear(H, V)
    x, state = torch.zeros(1, dtype=torch.long), None
    for _ in range(length):
        state = step(F.one_hot(x, V).to(torch.float32), state)
        h = state[0] if cell == "lstm" else state
        x = torch.multinomial(F.softmax(head(h), 1), 1).view(1)
        int(x)


def by_products(cell, H, length):
    W_x, W_h, W_y = (0.05 * torch.randn(*sizes) for sizes in ((V, H), (H, H), (V, H)))
    b_h, b_y, h, x = torch.zeros(H), torch.zeros(V), torch.zeros(H), 0
    for _ in range(length):
        h = torch.tanh(torch.addmv(W_x[x] + b_h, W_h, h))
        x = int(torch.multinomial(F.softmax(torch.addmv(b_y, W_y, h), 0), 1))


def best_of(forms, cell, H, seconds):
    best = 0
    with torch.inference_mode():
        for form in forms:
            length, elapsed = 50, 0
            while elapsed < seconds / 4:
                length *= 2
                start = time.perf_counter()
                form(cell, int(H), length)
                elapsed = time.perf_counter() - start
            best = max(best, length / elapsed)
    return best


def generate(cell, H, seconds):
    return best_of((by_layer, by_cell), cell, H, seconds)


def generate_by_hand(cell, H, seconds):
    if cell != "tanh":
        raise KeyError(f"no {cell} by hand")
    return best_of((by_products,), cell, H, seconds)


def threads(n):
    torch.set_num_threads(int(n))
    return n


def rss():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


REQUESTS = {"train": train, "generate": generate, "generate_by_hand": generate_by_hand,
            "threads": threads, "rss": rss}


def value(word):
    try:
        return float(word)
    except ValueError:
        return word


if __name__ == "__main__":
    if sys.argv[1:2] == ["once"]:
        cell, H, T, B, optimizer = sys.argv[2:]
        Training(OneHot, cell, int(H), int(T), int(B), optimizer).step()
        print(rss())
        raise SystemExit
    for line in sys.stdin:
        words = [value(word) for word in line.split()]
        try:
            print(repr(float(REQUESTS[words[0]](*words[1:]))), flush=True)
        except (KeyError, RuntimeError) as problem:
            print("-", str(problem).split("\n")[0], flush=True)
