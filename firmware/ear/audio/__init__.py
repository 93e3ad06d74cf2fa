"""From the microphone to features."""
