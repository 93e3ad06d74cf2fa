"""viper's pointer types take any buffer or address; only its compiler gives them meaning."""

from typing import Any, TypeAlias

ptr8: TypeAlias = Any
ptr16: TypeAlias = Any
ptr32: TypeAlias = Any
uint: TypeAlias = int
