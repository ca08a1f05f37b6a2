"""Measurements of the kernels beside other libraries: python -m mmi_hpc.bench topk --vs faiss."""
