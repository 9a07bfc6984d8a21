"""Swaps: one person's texture on another person's geometry."""
