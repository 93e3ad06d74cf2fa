"""Starts the device, nothing else."""

from ear import app

app.main()
