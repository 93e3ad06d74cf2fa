"""Trains wake words, from a recipe to a model with its evaluation and card. Start with run.py."""
