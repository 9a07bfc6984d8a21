"""What a photo shows of a face: its skin, and what grows on it or hides it."""
