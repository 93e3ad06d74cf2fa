"""Where the firmware's sources lie: in a checkout, or inside the installed package."""

from pathlib import Path

import ear

PACKAGE = Path(ear.__file__ or "").parent
SEARCH = PACKAGE.parent
"""The folder to search for the package ``ear``."""

# An installed package keeps main.py beside this module, where it is nobody else's.
_MAINS = (Path(__file__).with_name("firmware_main.py"), SEARCH / "main.py")
MAIN = next(path for path in _MAINS if path.is_file())
"""The program that a device starts."""
