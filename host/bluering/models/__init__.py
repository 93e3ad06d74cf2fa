"""Wake-word models: read from ``.tflite``, compiled for the device, evaluated on the host."""
