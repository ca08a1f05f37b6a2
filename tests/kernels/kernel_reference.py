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
    blocks = [x[i : i + 8] for i in range(0, len(x), 8)]
    return np.concatenate([np.empty(0), *(exact_dots(b, b).diagonal() for b in blocks)])


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


def random_bits(seed, draw, row=0):
    mask = 2**32 - 1
    counter = (row & mask, row >> 32, draw & mask, draw >> 32)
    words = philox4x32_10(counter, (seed & mask, seed >> 32))
    return words[0] | words[1] << 32


def exponent(value):
    return math.frexp(value)[1] if value else 0


class FixedPoint:
    def __init__(self, exponent):
        self.exponent = exponent

    def quantise(self, value):
        return int(np.rint(math.ldexp(value, self.exponent)))

    def value(self, total):
        return math.ldexp(float(total), -self.exponent)


class KMeans:
    """Lloyd's algorithm by the definitions in docs/kernels.md."""

    ROUNDS, OVERSAMPLING = 3, 1

    def __init__(self, x, k, metric, weights=None, init=None):
        self.x, self.k, self.cosine = x, k, metric == "cosine"
        self.metric = metric
        self.squared = squared_norms(x)
        raw = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
        self.shift = math.frexp(raw.max())[1] - 1
        self.weights = [math.ldexp(w, -self.shift) for w in raw]
        self.rows = [
            i for i, w in enumerate(self.weights) if w and (not self.cosine or self.squared[i])
        ]
        reach = np.abs(x).max().astype(np.float64)
        if init is not None:
            reach = max(reach, np.abs(init).max().astype(np.float64))
        bits = 61 - exponent(len(x))
        self.sums = FixedPoint(bits - exponent(1.0 if self.cosine else reach))
        self.weight_sums = FixedPoint(bits - 1)
        distance_max = 2.0 if self.cosine else x.shape[1] * (2 * reach) ** 2
        self.distance_sums = FixedPoint(bits - exponent(distance_max))

    def resolves(self):
        """Whether the fixed-point step is at most 2^-24 of the rms of the weighted values."""
        n, d = self.x.shape
        unit = d * 4.0 ** (24 - self.sums.exponent)
        terms = FixedPoint(61 - 16 - exponent(n))
        squares = [
            self.weights[i] ** 2 * (1.0 if self.cosine else self.squared[i]) for i in self.rows
        ]
        squares = [s for s in squares if s]
        return terms.value(sum(terms.quantise(min(s / unit, 2.0**16)) for s in squares)) >= len(
            squares
        )

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

    def stored_weights(self):
        stored = [0] * len(self.x)
        for i in self.rows:
            stored[i] = self.weight_sums.quantise(self.weights[i])
        return stored

    def draw(self, potentials, bits):
        """The row a draw takes, or None if no row has a potential."""
        target = (bits * sum(potentials)) >> 64
        for row, end in enumerate(np.cumsum(np.array(potentials, object))):
            if target < end:
                return row
        return None

    def lower(self, potentials, owners, seeds, first_seed):
        labels, distances = self.assign(seeds)
        for i, old in enumerate(potentials):
            new = self.distance_sums.quantise(self.weights[i] * distances[i])
            if old and (first_seed == 0 or new < old):
                potentials[i], owners[i] = new, first_seed + labels[i]

    def seeds(self, seed):
        """k-means++."""
        return self.complete([], self.stored_weights(), 0, seed)

    def complete(self, taken, potentials, candidates, seed):
        while len(taken) < self.k:
            row = self.draw(potentials, random_bits(seed, len(taken)))
            if row is None:
                row = min(set(range(len(self.x))) - set(taken))
            taken.append(row)
            self.lower(potentials, [0] * len(self.x), self.seed_centroid(row), candidates)
            candidates += 1
        return np.concatenate([self.seed_centroid(row) for row in taken])

    def scalable_seeds(self, seed):
        """k-means||."""
        potentials, owners = self.stored_weights(), [0] * len(self.x)
        first = self.draw(potentials, random_bits(seed, 0))
        if first is None:
            return self.complete([], potentials, 0, seed)
        candidates = [first]
        self.lower(potentials, owners, self.seed_centroid(first), 0)
        for number in range(self.ROUNDS):
            total = sum(potentials)
            new = [
                i
                for i, p in enumerate(potentials)
                if (random_bits(seed, 2**32 + number, i) * total >> 64)
                < self.OVERSAMPLING * self.k * p
            ]
            if new:
                seeds = np.concatenate([self.seed_centroid(i) for i in new])
                self.lower(potentials, owners, seeds, len(candidates))
                candidates += new
        owned = [0] * len(candidates)
        for i, weight in enumerate(self.stored_weights()):
            owned[owners[i]] += weight
        taken = self.reduced(candidates, owned, seed)
        return self.complete([candidates[c] for c in taken], potentials, len(candidates), seed)

    def reduced(self, candidates, owned, seed):
        x = np.concatenate([self.seed_centroid(i) for i in candidates])
        few = KMeans(x, self.k, self.metric, [float(w) for w in owned])
        potentials, taken = few.stored_weights(), []
        while len(taken) < self.k and sum(potentials):
            taken.append(few.draw(potentials, random_bits(seed, 2 * 2**32 + len(taken))))
            few.lower(potentials, [0] * len(x), few.seed_centroid(taken[-1]), len(taken) - 1)
        return taken

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
                factor = math.ldexp(self.weights[i] / norm, self.sums.exponent)
                for j, value in enumerate(self.x[i].astype(np.float64)):
                    total[j] += int(np.rint(value * factor))
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
