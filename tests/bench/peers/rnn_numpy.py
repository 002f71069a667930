#!/usr/bin/env python3
"""rnn_numpy.py -- NumPy's side of scripts/bench, one request a line (see ../worker.lua):

    train tanh H T B OPTIMIZER SECONDS, generate tanh H SECONDS, rss

The best that plain NumPy does: float32, one product for all weight gradients of a window, all
updates in place. Other cells are answered by "- REASON".
    rnn_numpy.py once tanh H T B OPTIMIZER    one step, then the end: for start and memory
"""
import resource
import sys
import time

import numpy as np

V = 65
rng = np.random.default_rng(1)
f32 = np.float32


class Adam:
    def __init__(self, parameters):
        self.m = [np.zeros_like(p) for p in parameters]
        self.v = [np.zeros_like(p) for p in parameters]
        self.t = 0

    def update(self, parameters, gradients):
        norm = np.sqrt(sum(float(np.vdot(g, g)) for g in gradients))
        scale = f32(min(1.0, 5.0 / norm))
        self.t += 1
        rate = f32(2e-3 * np.sqrt(1 - 0.999 ** self.t) / (1 - 0.9 ** self.t))
        for p, g, m, v in zip(parameters, gradients, self.m, self.v):
            g *= scale
            m *= f32(0.9)
            m += f32(0.1) * g
            v *= f32(0.999)
            g *= g
            g *= f32(0.001)
            v += g
            np.sqrt(v, out=g)
            g += f32(1e-8)
            np.divide(m, g, out=g)
            g *= rate
            p -= g


class Adagrad:
    def __init__(self, parameters):
        self.s = [np.zeros_like(p) for p in parameters]

    def update(self, parameters, gradients):
        for p, g, s in zip(parameters, gradients, self.s):
            np.clip(g, -5, 5, out=g)
            s += g * g
            p -= f32(0.1) * g / (np.sqrt(s) + f32(1e-10))


class Training:
    def __init__(self, H, T, B, optimizer):
        new = lambda *sizes: (0.05 * rng.standard_normal(sizes)).astype(f32)
        self.H, self.T, self.B = H, T, B
        self.p = [new(V, H), new(H, H), new(H, V), np.zeros(H, f32), np.zeros(V, f32)]
        self.optimizer = (Adagrad if optimizer == "adagrad" else Adam)(self.p)
        self.scale = f32(1 if optimizer == "adagrad" else 1 / (T * B))
        self.tokens = rng.integers(0, V, (20 * T + 1, B))
        self.at, self.h = 0, np.zeros((B, H), f32)

    def window(self):
        if self.at + self.T >= len(self.tokens):
            self.at, self.h = 0, np.zeros_like(self.h)
        x = self.tokens[self.at:self.at + self.T].ravel()
        y = self.tokens[self.at + 1:self.at + self.T + 1].ravel()
        self.at += self.T
        return x, y

    def step(self):
        x, y = self.window()
        W_x, W_h, W_y, b_h, b_y = self.p
        T, B, H = self.T, self.B, self.H
        a = (W_x[x] + b_h).reshape(T, B, H)
        h = np.empty((T + 1, B, H), f32)
        h[0] = self.h
        for t in range(T):
            a[t] += h[t] @ W_h
            np.tanh(a[t], out=h[t + 1])
        self.h = h[T].copy()
        flat, before = h[1:].reshape(-1, H), h[:-1].reshape(-1, H)
        d = flat @ W_y
        d += b_y
        d -= d.max(1, keepdims=True)
        np.exp(d, out=d)
        d /= d.sum(1, keepdims=True)
        d[np.arange(T * B), y] -= 1
        d *= self.scale
        g_y, g_by = flat.T @ d, d.sum(0)
        dh = (d @ W_y.T).reshape(T, B, H)
        carry = np.zeros((B, H), f32)
        for t in range(T - 1, -1, -1):
            dh[t] += carry
            dh[t] *= 1 - h[t + 1] * h[t + 1]
            carry = dh[t] @ W_h.T
        da = dh.reshape(-1, H)
        ones = np.zeros((T * B, V), f32)
        ones[np.arange(T * B), x] = 1
        self.optimizer.update(self.p, [ones.T @ da, before.T @ da, g_y, da.sum(0), g_by])

    def rate(self, seconds):
        start = time.perf_counter()
        self.step()
        count = max(1, round(seconds / (time.perf_counter() - start)))
        start = time.perf_counter()
        for _ in range(count):
            self.step()
        return count * self.T * self.B / (time.perf_counter() - start)


kept = {}


def only_tanh(cell):
    if cell != "tanh":
        raise ValueError(f"no {cell} here")


def train(cell, H, T, B, optimizer, seconds):
    only_tanh(cell)
    key = (H, T, B, optimizer)
    if key not in kept:
        kept[key] = Training(int(H), int(T), int(B), optimizer)
        kept[key].step()
    return kept[key].rate(seconds)


def sample(H, length):
    new = lambda *sizes: (0.05 * rng.standard_normal(sizes)).astype(f32)
    W_x, W_h, W_y = new(V, H), new(H, H), new(V, H)
    b_h, b_y, h, x = np.zeros(H, f32), np.zeros(V, f32), np.zeros(H, f32), 0
    draws = rng.random(length)
    for u in draws:
        h = np.tanh(W_x[x] + W_h @ h + b_h)
        logits = W_y @ h + b_y
        shares = np.cumsum(np.exp(logits - logits.max()))
        x = min(int(np.searchsorted(shares, u * shares[-1])), V - 1)


def generate(cell, H, seconds):
    only_tanh(cell)
    length, elapsed = 100, 0
    while elapsed < seconds / 4:
        length *= 2
        start = time.perf_counter()
        sample(int(H), length)
        elapsed = time.perf_counter() - start
    return length / elapsed


def rss():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


REQUESTS = {"train": train, "generate": generate, "rss": rss}


def value(word):
    try:
        return float(word)
    except ValueError:
        return word


if __name__ == "__main__":
    if sys.argv[1:2] == ["once"]:
        _, H, T, B, optimizer = sys.argv[2:]
        Training(int(H), int(T), int(B), optimizer).step()
        print(rss())
        raise SystemExit
    for line in sys.stdin:
        words = [value(word) for word in line.split()]
        try:
            print(repr(float(REQUESTS[words[0]](*words[1:]))), flush=True)
        except (KeyError, ValueError) as problem:
            print("-", problem, flush=True)
