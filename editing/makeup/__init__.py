"""Make-up, on the photo's own pixels."""
