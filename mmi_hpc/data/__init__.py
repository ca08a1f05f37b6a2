"""What flows between stages: typed records, HDF5 files, image bytes, sources and exports."""
