"""The log: a hash chain in the database, and signed checkpoints kept elsewhere."""
