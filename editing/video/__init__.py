"""Faces followed and changed through videos."""
