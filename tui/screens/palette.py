"""The palette: what is typed after `:` acts at enter; whole names and beginnings win over letters in between."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.fuzzy import FuzzySearch
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Static

from tui.assets import stylesheet
from tui.errors import DigsiteError
from tui.safe_text import clean
from tui.screens.commands import Command, Commands
from tui.screens.explorer import Explorer
from tui.screens.looks import Looks
from tui.widgets.columns import Column
from tui.widgets.rowlist import RowList

_SHOWN: Final = 50
_HINT: Final = "enter acts · tab completes · esc closes"
_Hit = tuple[int, Command]


class Palette(ModalScreen[None]):
    """Asks for a command, or for where to go.

    Args:
        screen: Where it was opened.
        explorer: What that stands on.
        looks: Key maps.
    """

    CSS_PATH = stylesheet("palette")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+p", "close", "Close", id="palette.close"),
        Binding("tab", "complete", "Complete", id="palette.complete"),
        Binding("down,ctrl+n", "move(1)", "Down", id="palette.down", show=False),
        Binding("up", "move(-1)", "Up", id="palette.up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="palette.page-down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="palette.page-up", show=False),
    ]

    def __init__(self, screen: Screen[Any], explorer: Explorer, looks: Looks) -> None:
        super().__init__()
        self._shown: str | None = None
        self._commands = Commands(screen, explorer, looks)
        columns: tuple[Column[_Hit], ...] = (
            Column("name", "Name", lambda hit: hit[1].name, 24, grow=1),
            Column("about", "About", lambda hit: hit[1].about, 16, grow=3, drop=2, tone=lambda _: "muted"),
            Column("key", "Key", lambda hit: hit[1].key, 6, align="right", drop=1, tone=lambda _: "muted"),
        )
        self.rows = RowList[_Hit](columns, key=lambda hit: hit[0], id="palette-hits")
        self.rows.can_focus = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            with Horizontal(id="palette-line"):
                yield Static(":")
                yield _Line(
                    placeholder="a command, a name, a path, latest-green@main", compact=True, select_on_focus=False
                )
            yield self.rows
            yield Static(Content(_HINT), id="palette-state", classes="dialog--prompt")

    def on_mount(self) -> None:
        self.follow()
        self.set_focus(self.query_one(Input))  # now, not soon: the next keys may be here already

    @property
    def state(self) -> str:
        """What is said below the hits."""
        return str(self.query_one("#palette-state", Static).content)

    def _say(self, text: str, *, is_bad: bool = False) -> None:
        line = self.query_one("#palette-state", Static)
        line.update(Content(clean(text, 400)))
        line.set_class(is_bad, "-bad")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.follow()

    def follow(self) -> None:
        """Shows what the line may mean, where that is not what is shown."""
        value = self.query_one(Input).value
        if value != self._shown:
            self._shown = value
            self.workers.cancel_group(self, "go")
            self._say(_HINT)
            self.rows.replace(enumerate(islice(self._hits(_meant(value)), _SHOWN)))
            self.rows.go_to(0)

    def _hits(self, typed: str) -> Iterator[Command]:
        """Best first."""
        if not typed:
            yield from self._commands.named
            return
        yield from self._commands.paths(typed)
        wanted, letters = typed.casefold(), FuzzySearch()
        texts = [(command, command.name) for command in self._commands.named]
        texts += [(command, f"{command.name} {command.about}") for command in self._commands.rows]
        ranked: list[tuple[int, float, int, Command]] = []
        for at, (command, text) in enumerate(texts):
            names = [name.casefold() for name in command.names]
            if wanted in names:
                ranked.append((0, 0.0, at, command))
            elif any(name.startswith(wanted) for name in names):
                ranked.append((1, 0.0, at, command))
            elif score := letters.match(typed, text)[0]:
                ranked.append((2, -score, at, command))
        yield from (command for *_, command in sorted(ranked))

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        self.action_act()

    def action_act(self) -> None:
        """Does what stands under the cursor."""
        typed, current = _meant(self.query_one(Input).value), self.rows.current
        if not typed and not (current and current[0]):
            self.dismiss(None)
        elif current is None:
            self._say(f"Nothing here is called {typed!r}. ? lists all keys.", is_bad=True)
        elif current[1].act is None:
            self._go(current[1].name)
        else:
            self.dismiss(None)
            self.app.call_later(current[1].act)

    @work(exclusive=True, group="go", description="go to a path")
    async def _go(self, path: str) -> None:
        self._say("Looking for it… esc gives up")
        try:
            await self._commands.go(path)
        except DigsiteError as error:
            self._say(str(error), is_bad=True)
        else:
            self.dismiss(None)
            self.app.call_later(self._commands.home)

    def action_complete(self) -> None:
        """Types the rest of what stands under the cursor; of a path as it was typed, the next that begins so."""
        at = self.rows.current[0] if self.rows.current is not None else 0
        for _, command in self.rows.rows[at : at + 2]:
            line = self.query_one(Input)
            if command.act is None and command.name == self._commands.whole(_meant(line.value)):
                continue
            line.value = command.completion or command.name
            line.action_end()
            return

    def action_move(self, rows: int) -> None:
        """Moves through the hits; the line keeps the focus."""
        self.rows.action_move(rows)

    def action_page(self, pages: int) -> None:
        """Moves by a page."""
        self.rows.action_page(pages)

    def action_close(self) -> None:
        """Closes without a command."""
        self.dismiss(None)


class _Line(Input):
    """Takes keys one after the other: typed in one go, or come in one packet, each must find what those before it did.

    Textual looks for what a key is bound to only after the line has taken those that follow.
    """

    async def on_key(self, event: events.Key) -> None:
        palette = self.screen
        if not isinstance(palette, Palette):
            return
        active = palette.active_bindings.get(event.key)
        if not palette.is_current:  # a command is under way: the key is for what comes of it
            self.app.simulate_key(event.key)
        elif event.key == "enter" or (active is not None and active.node is palette):
            palette.follow()
            action = "act" if active is None or active.node is not palette else active.binding.action
            await self.app.run_action(action, palette)
        else:
            return
        event.stop()
        event.prevent_default()


def _meant(value: str) -> str:
    """Hands that know vim type the colon once more."""
    return value.strip().lstrip(":")
