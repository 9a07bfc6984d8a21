"""One face, many pictures with labels."""
