"""The sound that everything here is made for: 16 kHz, mono, 16 bits, dealt with 10 ms at a time."""

RATE = 16000  # samples a second
HOP = 160  # samples: 10 ms, the step of the front end
HOP_BYTES = 2 * HOP
HOP_US = 10000
HOPS_PER_SECOND = 100
WINDOW = 480  # samples: 30 ms, what a row of features is made of
CHANNELS = 40  # features a row
BLOCK = 3  # hops that are read at once while nothing is in a hurry: one step of a model
