"""Human review of recordings: few of them, unnamed, and every look at one on the record."""
