"""A program: the kernels over a seeded matrix of inputs, on the instruction set of this process.

Every result is compared with the reference, bit for bit. Prints one JSON object: the instruction
set and a digest of the results per kernel, which must be equal for all instruction sets. Leaves
with the list of what differed if anything did. test_isas.py runs it once per instruction set.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys

import kernel_reference as reference
import numpy as np

from mmi_hpc.kernels import Bank, cosine_topk, info, kmeans, near_duplicates

# (queries, bank rows, columns, k). Both sides of: panels of 4, 8 and 32 bank rows, lanes of 8, 24,
# 32 and 48 queries, 8 and 32 columns, 512 rows that prime the thresholds and the spans that double
# them, 1 MiB of bank (rescoring by query or by row), 2 k = bank rows (the filter or every pair),
# and 2 x 4096 rows (few queries, so that the bank is cut).
SHAPES = [
    (1, 2, 1, 1),
    (2, 3, 2, 1),
    (5, 33, 7, 3),
    (7, 8, 8, 4),
    (8, 32, 31, 16),
    (9, 31, 9, 15),
    (23, 33, 32, 16),
    (24, 63, 33, 10),
    (25, 64, 7, 33),
    (31, 65, 65, 32),
    (33, 100, 100, 1),
    (32, 511, 16, 100),
    (47, 512, 24, 10),
    (48, 513, 40, 2),
    (49, 515, 64, 100),
    (96, 1024, 48, 1),
    (97, 1025, 48, 17),
    (20, 2049, 31, 10),
    (12, 2047, 130, 2),
    (10, 4200, 62, 10),
    (10, 4300, 65, 100),
    (3, 8191, 16, 10),
    (3, 8192, 16, 2),
    (1, 12289, 8, 1),
    (70, 600, 768, 10),
]
THREADS = (1, 2, 8)


def gaussian(rng, rows, dim):
    return rng.standard_normal((rows, dim), dtype=np.float32)


def around_a_mean(rng, rows, dim):
    return np.abs(gaussian(rng, rows, dim)) + np.float32(3)


def near_duplicate_rows(rng, rows, dim):
    """Forty rows or so in many copies, half of them exact: ties, and lists that overflow."""
    originals = gaussian(rng, max(1, rows // 40), dim)
    noise = 1e-4 * gaussian(rng, rows, dim) * (rng.random((rows, 1)) < 0.5)
    return originals[rng.integers(len(originals), size=rows)] + noise.astype(np.float32)


def scaled_rows(rng, rows, dim):
    exponents = rng.integers(-40, 31, (rows, 1)).astype(np.float64)
    return (gaussian(rng, rows, dim) * 10.0**exponents).astype(np.float32)


def sparse_signs(rng, rows, dim):
    signs = np.sign(gaussian(rng, rows, dim))
    signs[rng.random(signs.shape) < 0.7] = -0.0
    signs[rng.random(rows) < 0.1] = 0
    return signs


def subnormal_rows(rng, rows, dim):
    x = gaussian(rng, rows, dim)
    tiny = rng.random(rows) < 0.5
    x[tiny] = (x[tiny].astype(np.float64) * 1e-43).astype(np.float32)
    return x


def identical_rows(rng, rows, dim):
    return np.repeat(gaussian(rng, 1, dim), rows, axis=0)


VALUES = [
    gaussian,
    around_a_mean,
    near_duplicate_rows,
    scaled_rows,
    sparse_signs,
    subnormal_rows,
    identical_rows,
]


class Record:
    """The results of one kernel: a digest, and what differed from the reference."""

    def __init__(self):
        self.hash, self.wrong = hashlib.sha256(), []

    def add(self, what, found, expected):
        for array, wanted in zip(found, expected, strict=True):
            self.hash.update(np.ascontiguousarray(array).tobytes())
            if array.shape != wanted.shape or array.tobytes() != wanted.tobytes():
                self.wrong.append(what)
                return


def topk_of_values(record):
    rng = np.random.default_rng(1)
    values = itertools.cycle(VALUES)
    for (count, rows, dim, k), _ in itertools.product(SHAPES, range(3)):
        make = next(values)
        queries, bank = make(rng, count, dim), make(rng, rows, dim)
        if make is identical_rows:  # one query that ties with all, and others
            queries[:] = gaussian(rng, count, dim)
            queries[-1] = bank[0]
        for normalize in (True, False):
            what = f"{make.__name__} {(count, rows, dim, k)} normalize={normalize}"
            expected = reference.topk(queries, bank, k, normalize)
            packed = Bank(bank, normalize=normalize)
            for threads in THREADS:
                found = cosine_topk(queries, packed, k, normalize=normalize, threads=threads)
                record.add(what, found[:2], expected)
            found = cosine_topk(queries, bank, k, normalize=normalize, threads=2)
            record.add(what + " without a Bank", found[:2], expected)


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def bfloat16(array):
    import torch

    return torch.from_numpy(array).to(torch.bfloat16)


FORMS = {
    "read-only": read_only,
    "every other row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "every third column": lambda a: np.repeat(a, 3, axis=1)[:, ::3],
    "column-major": np.asfortranarray,
    "float16": lambda a: a.astype(np.float16),
    "bfloat16": bfloat16,
}


def widened(array):
    return array.astype(np.float32) if isinstance(array, np.ndarray) else array.float().numpy()


def topk_of_forms(record):
    rng = np.random.default_rng(2)
    for name, form in FORMS.items():
        for dim in (24, 33):
            queries, bank = form(gaussian(rng, 50, dim)), form(gaussian(rng, 600, dim))
            expected = reference.topk(widened(queries), widened(bank), 10)
            for packed in (bank, Bank(bank)):
                record.add(name, cosine_topk(queries, packed, 10, threads=2)[:2], expected)


def join_rows(rng, rows, dim):
    """Noisy and exact copies, a zero row, and rows of any length."""
    x = gaussian(rng, rows, dim)
    x[rows // 3 : 2 * (rows // 3)] = x[: rows // 3]
    x[: rows // 3] += np.float32(0.05) * gaussian(rng, rows // 3, dim)
    x[-rows // 5 :] = x[0]
    x[rows // 2] = 0
    return x * (10.0 ** rng.integers(-10, 10, (rows, 1))).astype(np.float32)


def joined(blocks):
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


def near_duplicate_pairs(record):
    rng = np.random.default_rng(3)
    threads = itertools.cycle(THREADS)
    for rows, dim in ((1, 1), (33, 9), (97, 32), (300, 40), (300, 7)):
        x, against = join_rows(rng, rows, dim), join_rows(rng, 2 * rows + 1, dim)
        against[:rows:2] = x[::2]
        for other, threshold in itertools.product((None, against), (-1.0, 0.0, 0.5, 0.99, 1.0)):
            expected = reference.near_duplicates(x, threshold, other)
            for block_rows in (None, 7, 64):
                blocks = near_duplicates(
                    x, threshold, against=other, block_rows=block_rows, threads=next(threads)
                )
                what = f"{(rows, dim)} threshold={threshold} block_rows={block_rows}"
                record.add(what, joined(blocks), expected)


# (rows, columns, clusters): panels of 4, 8 and 32 centroids, lanes of 8 to 48 rows, and more
# centroids than one row's list of candidates holds.
CLUSTERINGS = [(40, 9, 3), (97, 33, 40), (260, 24, 130)]


def far_start(rng, x, k):
    """Centroids among the rows, equal ones, and one a million times as far out."""
    start = x[rng.integers(len(x), size=k)]
    start[-1] = np.float32(1e6) * x[0]
    return start


def clusterings(record):
    rng = np.random.default_rng(4)
    makers = (gaussian, around_a_mean, near_duplicate_rows, sparse_signs, identical_rows)
    for (rows, dim, k), metric in itertools.product(CLUSTERINGS, ("cosine", "euclidean")):
        for make, weighted in zip(makers, itertools.cycle((True, False))):
            x = make(rng, rows, dim)
            weights = rng.random(rows) if weighted else None
            for init in ("k-means||", x[:k].copy(), far_start(rng, x, k)):
                given = isinstance(init, np.ndarray)
                model = reference.KMeans(x, k, metric, weights, init if given else None)
                if not model.resolves():
                    continue
                start = init if given else model.scalable_seeds(5)
                centroids, labels, inertia, *_ = model.fit(start, max_iter=3)
                expected = (centroids, labels, np.float64(inertia))
                for threads in THREADS:
                    found = kmeans(
                        x,
                        k,
                        metric=metric,
                        init=init,
                        seed=5,
                        max_iter=3,
                        weights=weights,
                        threads=threads,
                    )
                    result = (found.centroids, found.labels, np.float64(found.inertia))
                    name = "given" if given else init
                    record.add(
                        f"{make.__name__} {(rows, dim, k)} {metric} {name}", result, expected
                    )


def large_clusterings(record):
    """Too many pairs for the reference: the digest says whether instruction sets agree."""
    rng = np.random.default_rng(6)
    x = around_a_mean(rng, 6000, 48)
    for metric in ("cosine", "euclidean"):
        runs = [
            kmeans(x, 700, metric=metric, init=x[::8][:700], max_iter=4, threads=threads)
            for threads in THREADS
        ]
        for run in runs:
            found = (run.centroids, run.labels, run.counts, np.float64(run.inertia))
            first = (runs[0].centroids, runs[0].labels, runs[0].counts, np.float64(runs[0].inertia))
            record.add(f"large {metric}: threads differ", found, first)


# One digest each.
KERNELS = {
    "cosine_topk": topk_of_values,
    "cosine_topk, forms of arrays": topk_of_forms,
    "near_duplicates": near_duplicate_pairs,
    "kmeans": clusterings,
    "kmeans, large": large_clusterings,
}


def main() -> int:
    digests, wrong = {}, []
    for name, run in KERNELS.items():
        record = Record()
        run(record)
        digests[name] = record.hash.hexdigest()
        wrong += [f"{name}: {what}" for what in record.wrong]
    print(json.dumps({"isa": info()["isa"], "digests": digests}))
    print("\n".join(wrong), end="", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
