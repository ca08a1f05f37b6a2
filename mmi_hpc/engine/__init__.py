"""Runs stages: run folders, markers, leases, workers and the local executor; knows no stage."""
