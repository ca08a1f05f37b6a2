"""duplicates: which images nearly equal an earlier one of the collection, by their vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from pydantic import Field

from mmi_hpc import kernels
from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.records import Duplicate, Failure
from mmi_hpc.data.vectors import Float32, Int64
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import ReduceStage, Uses
from mmi_hpc.stages.embed import Embed


class DuplicatesSettings(StageSettings):
    """When two images count as nearly equal.

    Attributes:
        threshold: Least cosine of their vectors. The value is our choice. FineVision (arXiv
            2510.17269) takes 0.95 as well, but with embeddings that were trained to find copies.
            Vectors of CLIP or of descriptions lie closer or farther apart: look at what is flagged,
            and set another value where it is not what you mean by a copy.
    """

    section: ClassVar[str] = "duplicates"
    threshold: float = Field(default=0.95, gt=0, le=1)


class Duplicates(ReduceStage[Duplicate]):
    """One row for every image that nearly equals an earlier one, in the order of the source.

    Of a pair whose cosine reaches the threshold the later image is the duplicate. Its original is
    the earliest image that it makes such a pair with, which may be a duplicate itself: where b is
    near a, and c is near b alone, the original of c is b. So of every set of images that are linked
    by such pairs, all but the first have a row.

    The vectors of all images are held in memory, with the copy that the kernel packs of them: 4 and
    at most 4 bytes a value, so some 6 GB for a million images of 768 values. Pairs come in blocks
    and are not kept; 12 bytes an image are.
    """

    name = "duplicates"
    version = 1
    settings = (Uses(DuplicatesSettings),)
    reads = ("embed",)
    may_be_empty = True
    output = JsonLines(Duplicate)

    def reduce(self, shards: range, context: Context) -> Iterator[Duplicate | Failure]:
        """Compare every image with all others."""
        ids, vectors = _vectors(shards, context)
        if not ids:
            return
        threshold = context.settings(DuplicatesSettings).threshold
        originals = np.full(len(ids), -1, np.int64)
        cosines = np.zeros(len(ids), np.float32)
        for pairs in kernels.near_duplicates(vectors, threshold):
            context.check_stop()
            _note_first(pairs, originals, cosines)
        for row in np.flatnonzero(originals >= 0):
            yield Duplicate(ids[row], ids[originals[row]], float(cosines[row]))


def _vectors(shards: range, context: Context) -> tuple[list[str], Float32]:
    """Ids and vectors (n, d) of all shards, read into one matrix of the final size."""
    ids: list[str] = []
    vectors = np.empty((0, 0), np.float32)
    for shard in shards:
        context.check_stop()
        names, part = Embed.output.matrix(context.path(Embed, shard))
        if names and not ids:
            vectors = np.empty((context.count(Embed.name), part.shape[1]), np.float32)
        if names:
            vectors[len(ids) : len(ids) + len(names)] = part
            ids += names
    return ids, vectors


def _note_first(pairs: kernels.Pairs, originals: Int64, cosines: Float32) -> None:
    """Note the pairs of rows that have no original yet; pairs come in ascending order of i."""
    new = np.flatnonzero(originals[pairs.j] < 0)
    rows, first = np.unique(pairs.j[new], return_index=True)
    originals[rows] = pairs.i[new[first]]
    cosines[rows] = pairs.score[new[first]]
