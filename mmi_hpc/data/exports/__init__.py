"""Datasets as trainers read them."""
