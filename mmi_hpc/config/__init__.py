"""Typed settings in layers: defaults < site profile < recipe < MMI_* variables < command line."""
