"""What `z` takes back, newest first; what cannot be taken back says so instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer

_LIMIT: Final = 50


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done."""

    name: str
    """In words: `marks`, `public page of app.apk`."""
    undo: Callable[[], None] | None
    """Takes it back; None where nothing can."""


class Undo:
    """The steps of one explorer."""

    def __init__(self, screen: Explorer) -> None:
        self._screen = screen
        self._steps: list[Step] = []

    def did(self, name: str, undo: Callable[[], None] | None) -> None:
        """Notes a step."""
        self._steps.append(Step(name, undo))
        del self._steps[:-_LIMIT]

    def back(self) -> None:
        """Takes the newest step back, or says why that cannot be."""
        if not self._steps:
            self._screen.notify("There is nothing to undo.", markup=False)
            return
        step = self._steps.pop()
        if step.undo is None:
            self._screen.notify(f"{step.name} cannot be undone.", severity="warning", markup=False)
        else:
            step.undo()
