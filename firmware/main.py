"""Starts the device, nothing else."""

from ear import boot

boot.main()
