"""Edits of a face in UV space."""
