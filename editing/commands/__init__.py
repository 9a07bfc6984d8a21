"""Commands that edit: what they take, what they refuse, and what they print."""
