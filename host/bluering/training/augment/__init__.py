"""Stage 2: speech and recordings as a microphone hears them, as features to train on."""
