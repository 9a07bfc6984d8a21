"""Other expressions and proportions, on the photo's own pixels."""
