"""All keys of a screen and what they do, on a screen of their own: to read, to search with `/`, to run with enter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, NamedTuple

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Static

from tui.assets import stylesheet
from tui.models import Cursor, Page
from tui.models.filter import Fields
from tui.widgets.columns import Column
from tui.widgets.crumbs import Crumbs
from tui.widgets.keybar import KeyBar
from tui.widgets.pane import Feed, Pane
from tui.widgets.rowlist import RowList


class Key(NamedTuple):
    """What one or several keys do."""

    id: str
    keys: str
    name: str
    about: str
    section: str
    act: Callable[[], Any]


_FIELDS: Fields[Key] = Fields(haystack=lambda key: f"{key.keys} {key.name} {key.about} {key.id}".lower())


class HelpScreen(Screen[None]):
    """Shows keys.

    Args:
        keys: In the order they are shown; those of a section are neighbours.
        text: What the screen is about: a heading, then lines with `code`.
    """

    CSS_PATH = stylesheet("palette")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,h,left,backspace", "back", "Back", id="help.back"),
        Binding("question_mark,f1,q", "close", "Close", id="help.close"),
    ]

    def __init__(self, keys: Iterable[Key], text: str) -> None:
        super().__init__()
        self._keys, self._text = tuple(keys), text
        columns: tuple[Column[Key], ...] = (
            Column("keys", "Keys", lambda key: key.keys, 14, tone=lambda _: "busy"),
            Column("about", "Does", lambda key: key.about, 44, grow=2),
            Column("id", "In config.toml", lambda key: key.id, 26, drop=1, tone=lambda _: "muted"),
        )
        rows = RowList[Key](columns, key=lambda key: key.id, group=lambda key: key.section)
        self.keys = Pane[Key]("Keys", rows, _FIELDS, now=lambda: datetime.now(UTC), id="help")

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Static(_prose(self._text), id="help-text")
        yield self.keys
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(Crumbs).show("Keys", "/ finds one · enter does what it does")
        self.keys.rows.focus()
        self.keys.show("", [Feed[Key]("keys", self._load)], empty=lambda: ("No keys here.",))

    async def _load(self, cursor: Cursor | None) -> Page[Key]:
        return Page(self._keys, total=len(self._keys))

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        key = self.keys.rows.current
        if key is not None:
            self.dismiss(None)
            self.app.call_later(key.act)

    def action_back(self) -> None:
        """Clears the filter, else goes back."""
        if not self.keys.drop_filter():
            self.dismiss(None)

    def action_close(self) -> None:
        """Goes back."""
        self.dismiss(None)


def keys_of(screen: Screen[Any]) -> list[Key]:
    """The keys that work on a screen here and now."""
    found: dict[str, Key] = {}
    for node, binding, is_enabled, _ in screen.active_bindings.values():
        if is_enabled and binding.id and not binding.system:
            shown = screen.app.get_key_display(binding)
            before = found.get(binding.id)
            found[binding.id] = Key(
                binding.id,
                f"{before.keys} {shown}" if before else shown,
                binding.description,
                binding.tooltip or binding.description,
                _section(node, screen),
                partial(screen.app.run_action, binding.action, node),
            )
    order = (_HERE, _MOVING, _EVERYWHERE)
    return sorted(found.values(), key=lambda key: order.index(key.section))


_HERE, _MOVING, _EVERYWHERE = "On this screen", "Moving, marking, filtering", "Everywhere"


def _section(node: DOMNode, screen: Screen[Any]) -> str:
    return _HERE if node is screen else _EVERYWHERE if isinstance(node, App) else _MOVING


def _prose(text: str) -> Content:
    """Without its heading; what stands in backticks is bold."""
    pieces = " ".join(line for line in text.splitlines() if line and not line.startswith("#")).split("`")
    return Content.assemble(*((piece, "bold $accent" if at % 2 else "") for at, piece in enumerate(pieces)))
