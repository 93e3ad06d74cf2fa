"""Which function does the work of a kernel: a viper one or a native one."""

from ear import sequence


class Kernels:
    """The functions of a kernels module, as attributes; native ones may take their places.

    A native function takes addresses, a viper one takes buffers or addresses, so whoever calls
    them passes what ``place`` makes of a buffer, and keeps the buffer.
    """

    def __init__(self, module):
        """``module``: its public functions are the kernels."""
        self.module = module
        self._address = None
        self.run = self._locate = None
        for name in dir(module):
            function = getattr(module, name)
            if name[0] != "_" and callable(function):
                setattr(self, name, function)

    def use(self, name, function, address):
        """Let ``function`` do the work of ``name``; ``address`` tells where a buffer lies, None
        if it takes buffers."""
        setattr(self, name, function)
        self._address = address

    def run_with(self, run, locate):
        """Let sequences be run by the native ``run``; ``locate`` tells where a function's machine
        code and its object lie."""
        self.run = run
        self._locate = locate

    @property
    def runs(self):
        """Whether these kernels' sequences are run by native code."""
        return bool(self.run and self._address)

    def sequence(self, calls, returned=0):
        """Calls of kernels in one, see ``ear.sequence``: (kernel, arguments) each."""
        if self.runs:
            return sequence.native(calls, self.run, self._address, self._locate, returned)
        return sequence.looped(calls, returned)

    def viper(self, name):
        """The viper function, where a native one doesn't suit what it is to work on."""
        return getattr(self.module, name)

    def place(self, buffer, offset=0):
        """What the kernels take for a buffer's bytes from ``offset`` on."""
        if self._address:
            return self._address(buffer) + offset
        return memoryview(buffer)[offset:] if offset else buffer

    def aligned(self, buffer, offset=0):
        """Whether those bytes begin at a multiple of 16, where vectors do."""
        return self._address is None or (self._address(buffer) + offset) % 16 == 0
