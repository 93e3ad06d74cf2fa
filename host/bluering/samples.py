"""Sound in memory, the one kind that there is: 16 kHz, mono, 16 bits."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
