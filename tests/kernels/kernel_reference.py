"""The kernels' definitions once more, in NumPy float64 and Python integers, with nothing shared.

Slow and plain on purpose: what the compiled code must equal, bit for bit.
"""

from __future__ import annotations

import math

import numpy as np


def exact_dots(x, y):
    """All dots in float64: 8 lanes by column modulo 8, folded in halves."""
    padding = -x.shape[1] % 8
    x = np.pad(x.astype(np.float64), ((0, 0), (0, padding)))
    y = np.pad(y.astype(np.float64), ((0, 0), (0, padding)))
    lanes = np.zeros((len(x), len(y), 8))
    for at in range(0, x.shape[1], 8):
        lanes += x[:, None, at : at + 8] * y[None, :, at : at + 8]
    lanes = lanes[..., :4] + lanes[..., 4:]
    lanes = lanes[..., :2] + lanes[..., 2:]
    return lanes[..., 0] + lanes[..., 1]


def squared_norms(x):
    return np.array([exact_dots(row[None], row[None])[0, 0] for row in x])


def scores(x, y, normalize=True):
    dots = exact_dots(x, y)
    if normalize:
        norms = np.sqrt(squared_norms(x))[:, None] * np.sqrt(squared_norms(y))[None, :]
        dots = np.divide(dots, norms, out=np.zeros_like(dots), where=norms > 0)
    with np.errstate(over="ignore"):
        return dots.astype(np.float32) + np.float32(0)


def topk(queries, bank, k, normalize=True):
    table = scores(queries, bank, normalize)
    order = np.stack([np.lexsort((np.arange(len(bank)), -row))[:k] for row in table])
    return np.take_along_axis(table, order, axis=1), order


def near_duplicates(x, threshold, against=None):
    table = scores(x, x if against is None else against)
    found = table >= np.float32(threshold)
    if against is None:
        found &= np.triu(np.ones_like(found), 1)
    i, j = np.nonzero(found)
    return i, j, table[i, j]


def philox4x32_10(counter, key):
    c, (k0, k1), mask = list(counter), key, 2**32 - 1
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & mask, (p0 >> 32) ^ c[3] ^ k1, p0 & mask]
        k0, k1 = (k0 + 0x9E3779B9) & mask, (k1 + 0xBB67AE85) & mask
    return c


def random_bits(seed, draw):
    mask = 2**32 - 1
    words = philox4x32_10((0, 0, draw & mask, draw >> 32), (seed & mask, seed >> 32))
    return words[0] | words[1] << 32


class FixedPoint:
    def __init__(self, rows, value_max, weight_max):
        exponents = (math.frexp(v)[1] if v else 0 for v in (rows, value_max, weight_max))
        self.exponent = 62 - sum(exponents)

    def quantise(self, value):
        return int(np.rint(math.ldexp(value, self.exponent)))

    def value(self, total):
        return math.ldexp(float(total), -self.exponent)


class KMeans:
    """Lloyd's algorithm by the definitions in docs/kernels.md."""

    def __init__(self, x, k, metric, weights=None, init=None):
        self.x, self.k, self.cosine = x, k, metric == "cosine"
        self.squared = squared_norms(x)
        raw = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
        self.shift = math.frexp(raw.max())[1] - 1
        self.weights = [math.ldexp(w, -self.shift) for w in raw]
        self.rows = [
            i for i, w in enumerate(self.weights) if w and (not self.cosine or self.squared[i])
        ]
        reach = np.abs(x).max().astype(np.float64)
        out = reach if init is None else max(reach, np.abs(init).max().astype(np.float64))
        value_max = 1.0 if self.cosine else reach
        distance_max = 2.0 if self.cosine else x.shape[1] * (reach + out) ** 2
        top = max(self.weights)
        self.sums = FixedPoint(len(x), value_max, top)
        self.weight_sums = FixedPoint(len(x), 1.0, top)
        self.distance_sums = FixedPoint(len(x), distance_max, top)

    def resolves(self):
        """Whether the fixed-point step is at most 2^-24 of the rms of the weighted values."""
        squares = 0.0
        for i in self.rows:
            squares += self.weights[i] ** 2 * (1.0 if self.cosine else self.squared[i])
        if squares == 0.0:
            return True
        rms = math.sqrt(squares / (len(self.rows) * self.x.shape[1]))
        return self.sums.value(1) <= math.ldexp(rms, -24)

    def assign(self, centroids):
        if self.cosine:
            table = scores(self.x, centroids)
            labels = table.argmax(axis=1)
            best = table[np.arange(len(table)), labels].astype(np.float64)
            return labels, np.maximum(0.0, 1.0 - best)
        table = exact_dots(self.x, centroids) - 0.5 * squared_norms(centroids)
        labels = table.argmax(axis=1)
        best = table[np.arange(len(table)), labels]
        return labels, np.maximum(0.0, self.squared - 2.0 * best)

    def seeds(self, seed):
        potentials = [0] * len(self.x)
        for i in self.rows:
            potentials[i] = self.weight_sums.quantise(self.weights[i])
        taken = []
        for draw in range(self.k):
            total = sum(potentials)
            if total:
                target = (random_bits(seed, draw) * total) >> 64
                row = int(np.searchsorted(np.cumsum(potentials), target, side="right"))
            else:
                row = min(set(range(len(self.x))) - set(taken))
            taken.append(row)
            distances = self.assign(self.seed_centroid(row))[1]
            for i in range(len(self.x)):
                if potentials[i]:
                    new = self.distance_sums.quantise(self.weights[i] * distances[i])
                    potentials[i] = new if draw == 0 else min(potentials[i], new)
        return np.concatenate([self.seed_centroid(row) for row in taken])

    def seed_centroid(self, row):
        x, norm = self.x[row : row + 1], np.sqrt(self.squared[row])
        if self.cosine and norm:
            return (x / norm).astype(np.float32) + np.float32(0)
        return x

    def refill(self, labels, distances):
        labels = labels.copy()
        for c in range(self.k):
            counts = np.bincount(labels, minlength=self.k)
            donors = [i for i in self.rows if counts[labels[i]] > 1]
            # Rows moved here sit in a cluster of one, so they are no donors any more.
            if counts[c] == 0 and donors:
                labels[min(donors, key=lambda i: (-distances[i], i))] = c
        return labels

    def update(self, labels, previous):
        centroids = previous.copy()
        for c in range(self.k):
            total, weight = [0] * self.x.shape[1], 0
            for i in self.rows:
                if labels[i] != c:
                    continue
                norm = np.sqrt(self.squared[i]) if self.cosine else 1.0
                weight += self.weight_sums.quantise(self.weights[i])
                for j, value in enumerate(self.x[i].astype(np.float64)):
                    total[j] += self.sums.quantise(self.weights[i] * (value / norm))
            mean = np.array([[self.sums.value(t) for t in total]])
            by = np.sqrt(exact_dots(mean, mean))[0, 0] if self.cosine else None
            by = by if self.cosine else self.weight_sums.value(weight)
            if by:
                centroids[c] = (mean[0] / by).astype(np.float32) + np.float32(0)
        return centroids

    def fit(self, centroids, max_iter, tol=0.0):
        labels, distances = self.assign(centroids)
        n_iter, converged = 0, False
        while not converged and n_iter < max_iter:
            moved = self.update(self.refill(labels, distances), centroids)
            new_labels, distances = self.assign(moved)
            converged = bool((new_labels == labels).all())
            if tol > 0:
                step = moved.astype(np.float64) - centroids
                converged |= bool(np.sqrt(squared_norms(step)).max() <= tol)
            centroids, labels, n_iter = moved, new_labels, n_iter + 1
        total = sum(
            self.distance_sums.quantise(w * d) for w, d in zip(self.weights, distances, strict=True)
        )
        inertia = math.ldexp(self.distance_sums.value(total), self.shift)
        return centroids, labels, inertia, n_iter, converged
