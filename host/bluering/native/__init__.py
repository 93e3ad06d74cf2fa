"""Hand-written kernels for the ESP32-S3: assembler sources become ``.mpy`` files."""
