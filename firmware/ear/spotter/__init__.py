"""The spotter: features in, probabilities and wakes out."""
