"""The kernels are attributes that are set when the device starts, so no name is known here."""

from typing import Any

class Kernels:
    def __init__(self, module: Any) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
