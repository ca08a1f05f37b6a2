"""One self-contained HTML page about a data-generation run: its funnel, its flags, its gallery.

The page opens offline from a file share. Everything that comes from a dataset or a model is
shown as text and can never become part of the page.
"""

from mmi_hpc.report.model import Card, FailureExample, FlagCount, FunnelStep, Report
from mmi_hpc.report.page import render, write

__all__ = ["Card", "FailureExample", "FlagCount", "FunnelStep", "Report", "render", "write"]
