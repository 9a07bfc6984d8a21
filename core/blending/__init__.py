"""Poisson and other compositing."""
