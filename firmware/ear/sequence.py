"""Sequences of kernel calls: what every hop or step does, in one call from Python.

A call is a kernel and its arguments: small integers, places of buffers and ``Result`` objects.
There are two forms: a loop in Python, and a program for the native kernel ``run``, whose source
(firmware/native/sequence.py) describes it. Both mean the same.
"""

from array import array

_HEAD = 3  # words of a program before the places of the input


class Result:
    """As an argument, what an earlier call of the sequence returned: ``Result(0)`` the first."""

    def __init__(self, call):
        self.call = call


def later(calls, start):
    """The calls as they are when ``start`` others come before them."""
    return [(kernel, [_later(argument, start) for argument in some]) for kernel, some in calls]


def _later(argument, start):
    if isinstance(argument, Result) and argument.call >= 0:
        return Result(argument.call + start)
    return argument


INPUT = Result(-1)  # as an argument, what the sequence is run with


class Sequence:
    """``run(program, value)`` makes the calls, ``INPUT`` being ``value``.

    It returns what one of the calls does, and allocates nothing. The calls' functions and buffers
    must be kept by whoever names them.
    """

    def __init__(self, run, program, kept):
        """``kept``: what the program only knows the places of."""
        self.run = run
        self.program = program
        self._kept = kept


def looped(calls, returned=0):
    """The sequence as a loop in Python.

    calls: (kernel, arguments) each, of 2 to 6 arguments; returned: the call whose result is.
    """
    arguments = [list(some) for _, some in calls]
    answer = [0]
    steps = []
    for index, (kernel, _) in enumerate(calls):
        targets = [(arguments[call], place) for call, place in _uses(calls, index)]
        if index == returned:
            targets.append((answer, 0))
        steps.append((kernel, arguments[index], targets))
    inputs = [(arguments[call], place) for call, place in _uses(calls, -1)]
    return Sequence(run, (inputs, steps, answer), None)


def run(program, value):
    """Run a sequence of ``looped``."""
    inputs, steps, answer = program
    for arguments, place in inputs:
        arguments[place] = value
    for kernel, a, targets in steps:
        count = len(a)
        if count == 4:
            result = kernel(a[0], a[1], a[2], a[3])
        elif count == 6:
            result = kernel(a[0], a[1], a[2], a[3], a[4], a[5])
        elif count == 5:
            result = kernel(a[0], a[1], a[2], a[3], a[4])
        elif count == 3:
            result = kernel(a[0], a[1], a[2])
        else:
            result = kernel(a[0], a[1])
        for arguments, place in targets:
            arguments[place] = result
    return answer[0]


def native(calls, run, address, locate, returned=0):
    """The sequence as a program for the native ``run``.

    calls, returned: as for ``looped``, the kernels viper or native functions, places addresses;
    address: where a buffer lies; locate: where a function's machine code and its object lie.
    """
    inputs = _uses(calls, -1)
    targets = [_uses(calls, index) for index in range(len(calls))]
    starts = []  # of the calls' arguments, in words
    size = _HEAD + len(inputs)
    for index, (_, arguments) in enumerate(calls):
        starts.append(size + 3)
        size += 3 + len(arguments) + 1 + len(targets[index]) + (index == returned)
    words = array("I", bytes(4 * size))
    base = address(words)

    def places(uses):
        return [base + 4 * (starts[call] + place) for call, place in uses]

    filled = [len(calls), 1, len(inputs)]
    filled += places(inputs)
    for index, (kernel, arguments) in enumerate(calls):
        results = places(targets[index])
        if index == returned:
            results.append(base + 4)
        filled += locate(kernel)
        filled.append(len(arguments))
        filled += [_object(argument) for argument in arguments]
        filled.append(len(results))
        filled += results
    for index, word in enumerate(filled):
        words[index] = word
    return Sequence(run, base, words)


def _uses(calls, index):
    """Where a call's result is an argument: (call, place) each."""
    uses = []
    for call, (_, arguments) in enumerate(calls):
        for place, argument in enumerate(arguments):
            if isinstance(argument, Result) and argument.call == index:
                uses.append((call, place))
    return uses


def _object(argument):
    """An argument as a MicroPython object; a result takes the place of a zero."""
    return 1 if isinstance(argument, Result) else (argument << 1 | 1) & 0xFFFFFFFF
