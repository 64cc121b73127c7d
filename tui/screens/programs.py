"""Runs programs on the row under the cursor: those that want the terminal get it, the others run behind the screen."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import SuspendNotSupported
from textual.binding import Binding, BindingType

from tui.errors import DigsiteError
from tui.models import App, Artifact, Build
from tui.safe_text import clean
from tui.services import Services
from tui.services.programs import (
    Device,
    Program,
    ProgramError,
    Target,
    devices,
    document_for,
    downloaded_file,
    environment_for,
    programs_for,
    run_in_background,
    run_in_terminal,
    with_device,
)
from tui.widgets.columns import Column
from tui.widgets.dialogs import ConfirmDialog
from tui.widgets.list_dialog import ListDialog
from tui.widgets.rowlist import RowList

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer

_Line = tuple[int, str, str]


class PickDialog(ListDialog[_Line]):
    """Gives back which of several lines was chosen, counted from 0, or None.

    Args:
        title: What is to be chosen.
        lines: A name, and what is said of it.
        empty: Lines that stand there when there is none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,semicolon", "cancel", "Cancel", id="pick.cancel")]

    def __init__(self, title: str, lines: Sequence[tuple[str, str]], empty: Sequence[str] = ()) -> None:
        columns: tuple[Column[_Line], ...] = (
            Column("name", "Name", lambda line: line[1], 24, sort=lambda line: line[1]),
            Column("about", "", lambda line: line[2], 16, grow=1, drop=1, tone=lambda _: "muted"),
        )
        rows = RowList[_Line](columns, key=lambda line: line[0], id="picks")
        super().__init__(title, rows, [(number, *line) for number, line in enumerate(lines)], empty)

    def answer(self, row: _Line) -> int:
        """Its number."""
        return row[0]


class Programs:
    """Runs programs on rows of one explorer; what comes of them is told there."""

    def __init__(self, screen: Explorer, services: Services) -> None:
        self._screen, self._services = screen, services

    def _say(self, text: str, *, severity: str = "information") -> None:
        self._screen.app.notify(clean(text), severity=severity, markup=False)  # type: ignore[arg-type]  # a Literal

    def offer(self, row: App | Build | Artifact | None) -> None:
        """Asks which program to run on a row, and runs it."""
        if row is not None:
            self._screen.run_worker(self._offer(row), description="run a program")

    async def _offer(self, row: App | Build | Artifact) -> None:
        file = None
        if isinstance(row, Artifact):
            file = await downloaded_file(row, self._services.transfers.snapshot().transfers)
        target = Target(row, self._screen.path_of(row), file)
        programs = programs_for(target, self._services.config.habits.commands, os.environ)
        lines = [(program.name, program.refusal or shlex.join(program.argv)) for program in programs]
        dialog = PickDialog(f"Run on {target.path}", lines, _empty(target))
        chosen = await self._screen.app.push_screen_wait(dialog)
        if chosen is None:
            return
        try:
            await self._run(programs[chosen], target)
        except DigsiteError as error:
            self._say(str(error), severity="error")

    async def _run(self, program: Program, target: Target) -> None:
        if program.refusal is not None:
            self._say(program.refusal, severity="warning")
            return
        if program.wants_device:
            device = await self._device()
            if device is None:
                return
            program = with_device(program, device)
        if program.is_dangerous and not await self._is_confirmed(program, target):
            return
        if program.is_interactive:
            await self._run_in_terminal(program, target)
        else:
            self._say(f"{program.name}: running.")
            said = await run_in_background(program, document_for(target), environment_for(target))
            self._say(f"{program.name}: {said or 'done'}")

    async def _is_confirmed(self, program: Program, target: Target) -> bool:
        lines = [target.path, shlex.join(program.argv)]
        answer: bool = await self._screen.app.push_screen_wait(ConfirmDialog(f"Run {program.name}?", lines, verb="Run"))
        return answer

    async def _device(self) -> Device | None:
        found = await devices()
        if not found:
            raise ProgramError("This Mac is paired with no device.", hint="Connect one and trust it.")
        if len(found) == 1:
            return found[0]
        lines = [(device.name, device.id) for device in found]
        chosen = await self._screen.app.push_screen_wait(PickDialog("Install on", lines))
        return None if chosen is None else found[chosen]

    async def _run_in_terminal(self, program: Program, target: Target) -> None:
        problem: ProgramError | None = None
        try:
            with self._screen.app.suspend():
                try:
                    await run_in_terminal(program, environment_for(target))
                except ProgramError as error:  # raised only once the terminal is back: Textual takes it back at the end
                    problem = error
        except SuspendNotSupported:
            problem = ProgramError(f"{program.name} wants a terminal, and there is none.")
        if problem is not None:
            raise problem


def _empty(target: Target) -> list[str]:
    """What to do where nothing can be run."""
    is_artifact = isinstance(target.row, Artifact)
    kind = type(target.row).__name__.lower()
    own = '["apkanalyzer", "apk", "summary", "{file}"]' if is_artifact else '["sh", "-c", "jq . > ~/row.json"]'
    downloads = ["Nothing yet: d downloads it, to open or install it.", ""] if is_artifact and not target.file else []
    return [
        *downloads,
        "A command of your own, in config.toml:",
        "",
        "[[commands]]",
        'name = "Mine"',
        f"argv = {own}",
        f'on = "{kind}"',
    ]
