"""The parametric head and the pictures made of it, with exact labels."""
