"""Stage 4: the model's cutoff, its evaluation, and the folder with all that belongs to it."""
