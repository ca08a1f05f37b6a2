"""Where images and their texts come from. Every source is cut into slices that workers read alone.

A source answers three questions: what is there (`inventory`, a digest of names and contents that
does not depend on where it lies), how is it cut (`slices`), and what is in one slice (`read`).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmi_hpc.data.sources.base import Item, Slice, Source
from mmi_hpc.data.sources.coco import CocoSource
from mmi_hpc.data.sources.folder import FolderSource
from mmi_hpc.data.sources.jsonl import JsonlSource
from mmi_hpc.data.sources.samples import SamplesSource
from mmi_hpc.data.sources.webdataset import WebdatasetSource

AnySource = Annotated[
    FolderSource | JsonlSource | CocoSource | WebdatasetSource | SamplesSource,
    Field(discriminator="kind"),
]

__all__ = ["AnySource", "Item", "Slice", "Source"]
