"""Encoders of images and texts, whose results do not depend on what shares a block."""
