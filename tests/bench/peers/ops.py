#!/usr/bin/env python3
"""ops.py -- the cases of tests/bench/ops.lua with NumPy or PyTorch.

    ops.py numpy|torch [PATTERN [ROUNDS]]     lines "case seconds", the median of the runs
"""
import gc
import re
import statistics
import sys
import time

which, pattern = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 7
import numpy as np
if which == "torch":
    import torch
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)


def seconds_of(f):
    f()
    count = 1
    while True:
        start = time.perf_counter()
        for _ in range(count):
            f()
        elapsed = time.perf_counter() - start
        if elapsed > 1e-3:
            break
        count *= 4
    count = max(1, int(count * 3e-3 / elapsed))
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(count):
            f()
        times.append((time.perf_counter() - start) / count)
    return statistics.median(times)


def case(name, make):
    if not re.search(pattern, name):
        return
    gc.collect()
    try:
        f = make()
        print(f"{name} {seconds_of(f):.4g}", flush=True)
    except (AttributeError, TypeError, RuntimeError, NotImplementedError) as problem:
        print(f"{name}: {problem}", file=sys.stderr)


N, SIDE = 1 << 22, 2048


def numpy_cases(dtype):
    rng = np.random.default_rng(1)
    real = getattr(np, dtype)
    other = np.float64 if real is np.float32 else np.float32
    rand = lambda *s: rng.random(s, dtype=real) + real(1e-6)
    square = lambda: rand(SIDE, SIDE)
    empty = lambda *s: np.empty(s, real)

    def large(name, make):
        case(f"large/{name}/{dtype}", make)

    def unary(name, function):
        def make():
            x = square()
            out = function(x)
            return lambda: function(x, out=out)
        large(name, make)

    def binary(name, function, a, b):
        def make():
            x, y = a(), b()
            out = function(x, y)
            return lambda: function(x, y, out=out)
        large(name, make)

    def reduced(name, function, axis=None, rows=SIDE, columns=SIDE):
        def make():
            x = rand(rows, columns)
            if axis is None:
                return lambda: function(x)
            return lambda: function(x, axis=axis)
        large(name, make)

    def moved(name, make):
        large(name, lambda: (lambda pair: lambda: np.copyto(*pair))(make()))

    moved("memcpy", lambda: (empty(N), rand(N)))
    moved("copy_transposed", lambda: (square(), square().T))
    moved("copy_permuted", lambda: (empty(32, 64, 2048), rand(64, 32, 2048).transpose(1, 0, 2)))
    moved("copy_permuted_last", lambda: (empty(32, 2048, 64), rand(32, 64, 2048).transpose(0, 2, 1)))
    moved("copy_strided", lambda: (empty(SIDE, SIDE // 2), square()[:, ::2]))
    large("fill", lambda: (lambda a: lambda: a.fill(2.5))(square()))
    large("clone", lambda: (lambda a: lambda: a.copy())(square()))
    moved("convert", lambda: (np.zeros((SIDE, SIDE), other), square()))
    binary("add", np.add, square, square)
    binary("add_transposed", np.add, square, lambda: square().T)
    binary("add_row", np.add, square, lambda: rand(SIDE))
    binary("add_column", np.add, square, lambda: rand(SIDE, 1))
    binary("mul_number", np.multiply, square, lambda: real(1.5))
    binary("div", np.divide, square, square)
    binary("pow", np.power, square, lambda: real(1.7))
    binary("maximum", np.maximum, square, square)
    binary("atan2", np.arctan2, square, square)
    binary("number_lt", np.less, lambda: real(0.5), square)
    strided = lambda: rand(SIDE, 2 * SIDE)[:, ::2]
    binary("maximum_strided", np.maximum, square, strided)
    large("sqrt_strided", lambda: (lambda x, out: lambda: np.sqrt(x, out=out))(strided(), square()))
    large("where_column", lambda: (lambda a, b: (lambda c: lambda: np.where(c, a, b))(b < 0.5))(
        rand(SIDE, 1), square()))
    large("equal", lambda: (lambda a: (lambda b: lambda: np.array_equal(a, b))(a.copy()))(square()))
    large("arange", lambda: lambda: np.arange(1, N + 1, dtype=real))
    large("to_int32", lambda: (lambda a: lambda: a.astype(np.int32))(np.floor(square() * 1000)))

    def index_add():
        x, out, index = square(), square(), rng.permutation(SIDE)

        def run():
            out[index] += x
        return run
    large("index_add_", index_add)
    binary("lt", np.less, square, square)
    binary("lt_number", np.less, square, lambda: real(0.5))
    large("add_", lambda: (lambda a, b: lambda: np.add(a, b, out=a))(square(), square()))
    large("add_strided_", lambda: (lambda a, b: lambda: np.add(a, b, out=a))(
        square()[:, ::2], square()[:, ::2]))

    def where():
        a, b = square(), square()
        c = a < b
        return lambda: np.where(c, a, b)
    large("where", where)
    for name in ("exp", "log", "tanh", "sqrt", "abs", "sin", "square", "floor", "log1p", "expm1",
                 "isnan", "cos", "log2", "reciprocal"):
        unary(name, getattr(np, name))

    def sigmoid(x, out=None):
        out = np.negative(x, out=out)
        np.exp(out, out=out)
        np.add(out, 1, out=out)
        return np.reciprocal(out, out=out)
    unary("sigmoid", sigmoid)
    unary("relu", lambda x, out=None: np.maximum(x, real(0), out=out))
    unary("clamp", lambda x, out=None: np.clip(x, -np.inf, np.inf, out=out))

    def logsumexp(x, axis=None):
        m = x.max(axis=axis, keepdims=True)
        return np.log(np.exp(x - m).sum(axis=axis, keepdims=True)) + m
    functions = dict(sum=np.sum, max=np.max, argmax=np.argmax, mean=np.mean, prod=np.prod,
                     var=lambda x, axis=None: np.var(x, axis=axis, ddof=1),
                     norm=lambda x, axis=None: np.linalg.norm(x), logsumexp=logsumexp)
    for name in ("sum", "max", "argmax", "var", "norm", "logsumexp"):
        reduced(name, functions[name])
    for name in ("sum", "mean", "max", "argmax", "var", "prod", "logsumexp"):
        reduced(f"{name}_dim1", functions[name], 0)
        reduced(f"{name}_dim2", functions[name], 1)
    for name in ("sum", "max", "argmax"):
        reduced(f"{name}_of_4", functions[name], 1, 1 << 20, 4)
        reduced(f"{name}_of_4_rows", functions[name], 0, 4, 1 << 20)
    reduced("sum_tall", np.sum, 0, 1 << 20, 4)
    large("sum_middle", lambda: (lambda x: lambda: x.sum(axis=1))(rand(64, 256, 256)))
    large("sum_transposed_dim2", lambda: (lambda x: lambda: x.sum(axis=1))(square().T))
    for name in ("sum", "max"):
        large(f"{name}_transposed", lambda f=functions[name]: (lambda x: lambda: f(x))(square().T))
        large(f"{name}_strided_dim2",
              lambda f=functions[name]: (lambda x: lambda: f(x, axis=1))(strided()))
    for p in (3, np.inf):
        large(f"norm_{p}_dim1",
              lambda p=p: (lambda x: lambda: np.linalg.norm(x, p, axis=0))(square()))
    large("any", lambda: (lambda x: lambda: x.any())(np.zeros((SIDE, SIDE), real)))

    def softmax(d, across=False):
        def make():
            x, out = square(), square()
            if across:
                x = x.T

            def run():
                np.subtract(x, x.max(axis=d, keepdims=True), out=out)
                np.exp(out, out=out)
                np.divide(out, out.sum(axis=d, keepdims=True), out=out)
            return run
        return make
    large("softmax_transposed", softmax(0, True))
    for d in (0, 1):
        large(f"softmax_dim{d + 1}", softmax(d))
        large(f"cumsum_dim{d + 1}", lambda d=d: (lambda x, out: lambda: np.cumsum(x, axis=d, out=out))(
            square(), square()))

        def cat(d=d):
            a, b = rand(1024, 1024), rand(1024, 1024)
            out = np.concatenate((a, b), d)
            return lambda: np.concatenate((a, b), d, out=out)
        large(f"cat_dim{d + 1}", cat)

        def select(d=d):
            x, out, index = square(), square(), rng.permutation(SIDE)
            return lambda: np.take(x, index, axis=d, out=out, mode="clip")
        large(f"index_select_dim{d + 1}", select)

        def gather(d=d):
            x = square()
            index = np.stack([rng.permutation(SIDE) for _ in range(SIDE)])
            return lambda: np.take_along_axis(x, index, axis=d)
        large(f"gather_dim{d + 1}", gather)

    def stack():
        a, b = rand(1024, 1024), rand(1024, 1024)
        out = np.stack((a, b), 2)
        return lambda: np.stack((a, b), 2, out=out)
    large("stack", stack)
    large("rand", lambda: (lambda a: lambda: rng.random(dtype=real, out=a))(square()))
    large("randn", lambda: (lambda a: lambda: rng.standard_normal(dtype=real, out=a))(square()))

    def sort(*sizes):
        x = rand(*sizes)

        def run():                      # values and indices, as unroll and PyTorch give them
            index = np.argsort(x, axis=-1, kind="stable")
            return np.take_along_axis(x, index, axis=-1)
        return run
    large("sort", lambda: sort(1 << 20))
    large("sort_rows", lambda: sort(1024, 1024))

    def topk():
        x = rand(1 << 20)

        def run():
            index = np.argpartition(x, -10)[-10:]
            return x[index[np.argsort(-x[index])]]
        return run
    large("topk", topk)
    large("dot", lambda: (lambda a, b: lambda: np.dot(a, b))(rand(N), rand(N)))
    products(dtype, lambda *s: rand(*s), np.matmul, lambda x: x.swapaxes(-1, -2))


def products(dtype, rand, matmul, transpose):
    for m, k, p in ((32, 32, 32), (256, 256, 256), (1024, 1024, 1024), (1000, 7, 1000),
                    (7, 1000, 7), (1, 1024, 1024), (1024, 1024, 1)):
        def make(m=m, k=k, p=p):
            a, b = rand(m, k), rand(k, p)
            out = matmul(a, b)
            return lambda: matmul(a, b, out=out)
        case(f"matmul/{m}x{k}x{p}/{dtype}", make)

    def transposed():
        a, b = transpose(rand(512, 512)), transpose(rand(512, 512))
        out = rand(512, 512)
        return lambda: matmul(a, b, out=out)
    case(f"matmul/transposed/{dtype}", transposed)

    def batch():
        a, b, out = rand(64, 64, 64), rand(64, 64, 64), rand(64, 64, 64)
        return lambda: matmul(a, b, out=out)
    case(f"matmul/batch/{dtype}", batch)


def torch_cases(dtype):
    real = getattr(torch, dtype)
    other = torch.float64 if real is torch.float32 else torch.float32
    rand = lambda *s: torch.rand(*s, dtype=real)
    square = lambda: rand(SIDE, SIDE)

    def large(name, make):
        case(f"large/{name}/{dtype}", make)

    def unary(name, function):
        def make():
            x = square()
            out = function(x)
            return lambda: function(x, out=out)
        large(name, make)

    def binary(name, function, a, b):
        def make():
            x, y = a(), b()
            out = function(x, y)
            return lambda: function(x, y, out=out)
        large(name, make)

    def reduced(name, function, dim=None, rows=SIDE, columns=SIDE):
        def make():
            x = rand(rows, columns)
            if dim is None:
                return lambda: function(x)
            return lambda: function(x, dim)
        large(name, make)

    def moved(name, make):
        large(name, lambda: (lambda pair: lambda: pair[0].copy_(pair[1]))(make()))

    moved("memcpy", lambda: (rand(N), rand(N)))
    moved("copy_transposed", lambda: (square(), square().t()))
    moved("copy_permuted", lambda: (rand(32, 64, 2048), rand(64, 32, 2048).permute(1, 0, 2)))
    moved("copy_permuted_last", lambda: (rand(32, 2048, 64), rand(32, 64, 2048).permute(0, 2, 1)))
    moved("copy_strided", lambda: (rand(SIDE, SIDE // 2), square()[:, ::2]))
    large("fill", lambda: (lambda a: lambda: a.fill_(2.5))(square()))
    large("clone", lambda: (lambda a: lambda: a.clone())(square()))
    moved("convert", lambda: (torch.zeros(SIDE, SIDE, dtype=other), square()))
    binary("add", torch.add, square, square)
    binary("add_transposed", torch.add, square, lambda: square().t())
    binary("add_row", torch.add, square, lambda: rand(SIDE))
    binary("add_column", torch.add, square, lambda: rand(SIDE, 1))
    binary("mul_number", torch.mul, square, lambda: 1.5)
    binary("div", torch.div, square, square)
    binary("pow", torch.pow, square, lambda: 1.7)
    binary("maximum", torch.maximum, square, square)
    binary("lt", torch.lt, square, square)
    binary("lt_number", torch.lt, square, lambda: 0.5)
    large("add_", lambda: (lambda a, b: lambda: a.add_(b))(square(), square()))
    large("add_strided_", lambda: (lambda a, b: lambda: a.add_(b))(
        square()[:, ::2], square()[:, ::2]))

    def where():
        a, b = square(), square()
        c = a < b
        return lambda: torch.where(c, a, b)
    large("where", where)
    for name in ("exp", "log", "tanh", "sigmoid", "sqrt", "abs", "sin", "square", "floor", "log1p",
                 "expm1"):
        unary(name, getattr(torch, name))
    large("isnan", lambda: (lambda x: lambda: torch.isnan(x))(square()))
    large("relu", lambda: (lambda x: lambda: torch.relu(x))(square()))
    unary("clamp", lambda x, out=None: torch.clamp(x, -float("inf"), float("inf"), out=out))
    functions = dict(sum=torch.sum, argmax=torch.argmax, mean=torch.mean, prod=torch.prod,
                     var=torch.var, max=torch.max, norm=torch.linalg.norm,
                     logsumexp=lambda x, d=None: torch.logsumexp(x, (0, 1) if d is None else d))
    for name in ("sum", "max", "argmax", "var", "norm", "logsumexp"):
        reduced(name, functions[name])
    for name in ("sum", "mean", "max", "argmax", "var", "prod", "logsumexp"):
        reduced(f"{name}_dim1", functions[name], 0)
        reduced(f"{name}_dim2", functions[name], 1)
    for name in ("sum", "max", "argmax"):
        reduced(f"{name}_of_4", functions[name], 1, 1 << 20, 4)
        reduced(f"{name}_of_4_rows", functions[name], 0, 4, 1 << 20)
    reduced("sum_tall", torch.sum, 0, 1 << 20, 4)
    large("sum_middle", lambda: (lambda x: lambda: x.sum(1))(rand(64, 256, 256)))
    large("sum_transposed_dim2", lambda: (lambda x: lambda: x.sum(1))(square().t()))
    large("any", lambda: (lambda x: lambda: x.any())(torch.zeros(SIDE, SIDE, dtype=real)))
    for d in (0, 1):
        large(f"softmax_dim{d + 1}", lambda d=d: (lambda x: lambda: torch.softmax(x, d))(square()))
        large(f"cumsum_dim{d + 1}", lambda d=d: (lambda x, out: lambda: torch.cumsum(x, d, out=out))(
            square(), square()))

        def cat(d=d):
            a, b = rand(1024, 1024), rand(1024, 1024)
            out = torch.cat((a, b), d)
            return lambda: torch.cat((a, b), d, out=out)
        large(f"cat_dim{d + 1}", cat)

        def select(d=d):
            x, out, index = square(), square(), torch.randperm(SIDE)
            return lambda: torch.index_select(x, d, index, out=out)
        large(f"index_select_dim{d + 1}", select)

        def gather(d=d):
            x, out = square(), square()
            index = torch.stack([torch.randperm(SIDE) for _ in range(SIDE)])
            return lambda: torch.gather(x, d, index, out=out)
        large(f"gather_dim{d + 1}", gather)

    def stack():
        a, b = rand(1024, 1024), rand(1024, 1024)
        out = torch.stack((a, b), 2)
        return lambda: torch.stack((a, b), 2, out=out)
    large("stack", stack)
    large("rand", lambda: (lambda a: lambda: a.uniform_())(square()))
    large("randn", lambda: (lambda a: lambda: a.normal_())(square()))
    large("sort", lambda: (lambda x: lambda: torch.sort(x, stable=True))(rand(1 << 20)))
    large("sort_rows", lambda: (lambda x: lambda: torch.sort(x, stable=True))(rand(1024, 1024)))
    large("topk", lambda: (lambda x: lambda: torch.topk(x, 10))(rand(1 << 20)))
    large("dot", lambda: (lambda a, b: lambda: torch.dot(a, b))(rand(N), rand(N)))
    products(dtype, rand, torch.matmul, lambda x: x.transpose(-1, -2))


def numpy_integers():
    rng = np.random.default_rng(1)
    numbers = lambda: rng.permutation(N).astype(np.int32).reshape(SIDE, SIDE)
    for name, function in dict(sum=np.sum, max=np.max, argmax=np.argmax).items():
        case(f"large/{name}/int32", lambda: (lambda x: lambda: function(x))(numbers()))
        case(f"large/{name}_dim2/int32", lambda: (lambda x: lambda: function(x, axis=1))(numbers()))
    case("large/lt/int32", lambda: (lambda x, y, out: lambda: np.less(x, y, out=out))(
        numbers(), numbers(), np.zeros((SIDE, SIDE), bool)))


def tiny():
    if which == "numpy":
        t, u, out = (np.zeros(8, np.float32) for _ in range(3))
        case("tiny/add_", lambda: lambda: np.add(t, u, out=t))
        case("tiny/mul_out", lambda: lambda: np.multiply(t, u, out=out))
        case("tiny/add_new", lambda: lambda: t + u)
        case("tiny/sum", lambda: lambda: t.sum())
        m, c = np.zeros((4, 8), np.float32), t > u
        case("tiny/new_dim_max", lambda: lambda: (m.max(axis=1), m.argmax(axis=1)))
        case("tiny/norm_dim", lambda: lambda: np.linalg.norm(m, axis=1))
        case("tiny/sort", lambda: lambda: t[np.argsort(t, kind="stable")])
        case("tiny/cat", lambda: lambda: np.concatenate((t, u)))
        case("tiny/where", lambda: lambda: np.where(c, t, u))
        case("tiny/clone", lambda: lambda: t.copy())
    else:
        t, u, out = (torch.zeros(8) for _ in range(3))
        case("tiny/add_", lambda: lambda: t.add_(u))
        case("tiny/mul_out", lambda: lambda: torch.mul(t, u, out=out))
        case("tiny/add_new", lambda: lambda: t + u)
        case("tiny/sum", lambda: lambda: t.sum())


tiny()
for name in ("float32", "float64"):
    (numpy_cases if which == "numpy" else torch_cases)(name)
if which == "numpy":
    numpy_integers()
