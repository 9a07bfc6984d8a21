"""Loss, schedule, training loop and evaluation protocols."""
