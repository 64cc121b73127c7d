"""Modules that libraries import long before they use them: here they are loaded at their first use.

asyncio imports `ssl`, which takes 3 % of the start of the explorer and is not used before the first request.
`importlib.util.LazyLoader` is made for this, but loads a module at its second `import` already (Python 3.11, 3.12).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType
from typing import Any

_LOADING = RLock()


def put_off(*names: str) -> None:
    """Has pure Python modules of these names loaded when something is first read from them; those imported stay."""
    sys.meta_path.insert(0, _Finder(names))


class _PutOff(ModuleType):
    """A module whose code runs when something is read that it does not have yet."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system looks for, `__path__` above all
            raise AttributeError(name)
        with _LOADING:  # a second thread waits until all is there
            loader = self.__dict__.pop("_put_off", None)
            if loader is not None:
                loader.exec_module(self)
        return super().__getattribute__(name)


class _Loader(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["_put_off"] = self._loader
        module.__class__ = _PutOff


class _Finder:
    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._names:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec
