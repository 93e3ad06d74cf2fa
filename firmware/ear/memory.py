"""What is left of the memory, told when it didn't suffice."""

import gc

_LARGEST = 1 << 16  # bytes: no more in one piece is told apart, and no less than this
_SMALLEST = 1 << 8
_INTERNAL = 1 << 19  # the chip's own memory has no larger region: what is larger is PSRAM


def heap_left(error):
    """What a MemoryError says, with what there is: bytes free, and the largest in one piece."""
    gc.collect()
    free = gc.mem_free()
    low, high = 0, _LARGEST
    while high - low > _SMALLEST:
        middle = (low + high) // 2
        try:
            bytearray(middle)
            low = middle
        except MemoryError:
            high = middle
    return f"{error}; {free} bytes are free, {low} of them in one piece"


def internal_left(error, wanted):
    """What a driver's OSError says; ``wanted``: bytes that it needs of the memory outside Python's
    heap, of which there is told what is left."""
    import esp32

    free = largest = 0
    for region in esp32.idf_heap_info(esp32.HEAP_DATA):
        if region[0] <= _INTERNAL:
            free += region[1]
            largest = max(largest, region[2])
    return f"{error}; it wants {wanted} bytes, {free} are free, {largest} of them in one piece"
