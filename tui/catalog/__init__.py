"""The local cache of what was listed."""

from tui.catalog.figures import Figures
from tui.catalog.store import Catalog, Kept

__all__ = ["Catalog", "Figures", "Kept"]
