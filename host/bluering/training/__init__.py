"""Trains wake words: from a recipe to a compiled model with its evaluation and card."""
