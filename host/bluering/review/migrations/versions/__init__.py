"""One module per change of review's tables."""
