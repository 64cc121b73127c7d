"""Where the style sheets are: inside the package in a wheel, beside it in a checkout.

`importlib.resources` sees them in a wheel only, so this module finds the folder and nothing else does.
"""

from pathlib import Path
from typing import Final

_PACKAGED: Final = Path(__file__).with_name("styles")
_CHECKOUT: Final = Path(__file__).parents[1] / "styles"

STYLES_DIR: Final = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
"""The folder of all `*.tcss` files."""


def stylesheet(name: str) -> Path:
    """The absolute path of one sheet: a relative one would be sought beside a subclass's file in tests."""
    return STYLES_DIR / f"{name}.tcss"
