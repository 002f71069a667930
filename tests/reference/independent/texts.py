"""Texts: tokens, splits, entropies, and the measures of a sample."""

import collections
import math
import re

import numpy


def tokens_of(text):
    """Positions, from 0, in the sorted symbols; and the symbols."""
    symbols = sorted(set(text))
    places = {c: k for k, c in enumerate(symbols)}
    return numpy.array([places[c] for c in text]), symbols


def split_of(tokens, split):
    """80% for training, 10% each for validation and test, in this order."""
    if split == "all":
        return tokens
    train = math.floor(len(tokens) * 0.8 + 0.5)
    validation = math.floor(len(tokens) * 0.1 + 0.5)
    return {"train": tokens[:train], "validation": tokens[train:train + validation],
            "test": tokens[train + validation:]}[split]


def entropy(text, order):
    """Bits of a character given the `order` before it, by counting."""
    grams = collections.Counter(text[i - order:i + 1] for i in range(order, len(text)))
    contexts = collections.Counter()
    for gram, count in grams.items():
        contexts[gram[:-1]] += count
    total = len(text) - order
    return -sum(count / total * math.log2(count / contexts[gram[:-1]])
                for gram, count in grams.items())


def shares(text, n=1):
    grams = collections.Counter(text[i:i + n] for i in range(len(text) - n + 1))
    return {gram: count / max(1, len(text) - n + 1) for gram, count in grams.items()}


def distance(p, q):
    return sum(abs(p.get(key, 0) - q.get(key, 0)) for key in sorted(set(p) | set(q))) / 2


def longest_copy(sample, text):
    """By bisection: a copied run of n has copied runs of every shorter length in it."""
    low, high = 0, len(sample)
    while low < high:
        n = (low + high + 1) // 2
        known = {text[i:i + n] for i in range(len(text) - n + 1)}
        if any(sample[i:i + n] in known for i in range(len(sample) - n + 1)):
            low = n
        else:
            high = n - 1
    return low


def followers(sample, text):
    pairs = set(zip(text, text[1:]))
    return sum(pair in pairs for pair in zip(sample, sample[1:])) / (len(sample) - 1)


def words(text):
    return re.findall(r"[a-z][a-z']*", text.lower())


def known_words(sample, text):
    known, found = set(words(text)), words(sample)[1:-1]
    return sum(word in known for word in found) / max(1, len(found))


LUA_TOKEN = re.compile(r"""
    \s+ | --\[(=*)\[.*?\]\1\] | --(?!\[=*\[).* | \[(=*)\[.*?\]\2\]
  | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*'
  | 0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?\d+)?(?![\w.])
  | (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])
  | [A-Za-z_]\w* | [-+*/%^\#&~|<>=(){}\[\];:,] | \.(?!\d)
""", re.X)


def tokenises(line):
    place = 0
    while place < len(line):
        match = LUA_TOKEN.match(line, place)
        if not match:
            return False
        place = match.end()
    return True


def lua_lines(sample):
    lines = [line for line in sample.split("\n")[1:-1] if line.strip()]
    return sum(map(tokenises, lines)) / max(1, len(lines))
