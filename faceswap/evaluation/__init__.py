"""Measures of how good swaps are, for the scripts of docs/ and the tests; no command needs it."""
