"""Stage 1: synthetic speech. What is said, how it is pronounced, and the engines that say it."""
