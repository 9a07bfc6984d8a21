"""Retouching, on the photo's own pixels."""
