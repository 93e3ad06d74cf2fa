"""What can be wrong with a model."""


class ModelError(Exception):
    """A model that can't be used, and why."""
