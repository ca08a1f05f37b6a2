"""mmi_hpc turns an image collection into visual-instruction training data, on any Slurm cluster."""

__version__ = "0.1.0"
