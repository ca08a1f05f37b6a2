"""Reading what a benchmark left."""

from __future__ import annotations


def rows_of(document, competitor):
    return [row for row in document["rows"] if row["competitor"] == competitor]
