"""The keys of every screen in one place: for the documentation, and to tell which of the user's cannot be.

Imports all screens, so not for the start of a run that has no keys of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from textual.binding import Binding
from textual.dom import DOMNode

from tui.screens.accounts import AccountsDialog, AddAccountDialog
from tui.screens.artifact_detail import ArtifactScreen
from tui.screens.build_view import BuildScreen
from tui.screens.changes_view import ChangesScreen
from tui.screens.digs_dialog import DigsDialog
from tui.screens.download_dialog import DownloadDialog
from tui.screens.expiring_view import ExpiringScreen
from tui.screens.explorer import Explorer
from tui.screens.feed_view import NewestScreen
from tui.screens.folder_sizes import FolderSizesScreen
from tui.screens.help_panel import HelpScreen
from tui.screens.inside import InsideScreen
from tui.screens.log_members import MembersDialog
from tui.screens.log_view import LogScreen
from tui.screens.palette import Palette
from tui.screens.programs import PickDialog
from tui.screens.public_view import PublicScreen
from tui.screens.search import SearchScreen
from tui.screens.start_dialog import StartDialog
from tui.screens.stats_view import StatsScreen
from tui.screens.tests_view import TestsScreen
from tui.screens.transfers import LimitsDialog, TransfersScreen
from tui.screens.why_red import WhyRedScreen
from tui.widgets.batch import BatchDialog
from tui.widgets.choice import ChoiceDialog
from tui.widgets.dialogs import ConfirmDialog, TextDialog
from tui.widgets.keymaps import clashes, unknown
from tui.widgets.logtext import LogText
from tui.widgets.pane import Pane
from tui.widgets.picture import PictureDialog
from tui.widgets.qr import QrDialog
from tui.widgets.rowlist import RowList
from tui.widgets.treemap import Treemap


class Room(NamedTuple):
    """A screen, and what in it answers to keys."""

    title: str
    owners: tuple[type[DOMNode], ...]


ROOMS: Final = (
    Room("Explorer", (Explorer, Pane, RowList)),
    Room("Palette", (Palette,)),
    Room("Help", (HelpScreen, Pane, RowList)),
    Room("Build", (BuildScreen, RowList)),
    Room("Artifact", (ArtifactScreen, RowList)),
    Room("Log", (LogScreen, LogText)),
    Room("Logs of a build", (MembersDialog, RowList)),
    Room("Why red", (WhyRedScreen, RowList)),
    Room("Tests", (TestsScreen, Pane, RowList)),
    Room("Changes", (ChangesScreen, Pane, RowList)),
    Room("Inside an artifact", (InsideScreen, Pane, RowList)),
    Room("Sizes by folder", (FolderSizesScreen, RowList)),
    Room("Transfers", (TransfersScreen, RowList)),
    Room("Limits of transfers", (LimitsDialog,)),
    Room("Statistics", (StatsScreen, Pane, RowList)),
    Room("Treemap", (StatsScreen, Treemap)),
    Room("Expiring", (ExpiringScreen, Pane, RowList)),
    Room("Public", (PublicScreen, Pane, RowList)),
    Room("Search", (SearchScreen,)),
    Room("Newest builds", (NewestScreen, Pane, RowList)),
    Room("Saved digs", (DigsDialog, RowList)),
    Room("Programs", (PickDialog, RowList)),
    Room("Accounts", (AccountsDialog,)),
    Room("Add an account", (AddAccountDialog,)),
    Room("Download with options", (DownloadDialog,)),
    Room("Start a build", (StartDialog,)),
    Room("Questions", (ConfirmDialog,)),
    Room("Choices", (ChoiceDialog,)),
    Room("Batches", (BatchDialog,)),
    Room("Texts", (TextDialog,)),
    Room("QR code", (QrDialog,)),
    Room("Pictures", (PictureDialog,)),
)
"""All there are."""


def bindings_of(owners: Iterable[type[DOMNode]]) -> list[Binding]:
    """What classes bind, with what they inherit; an id that several have is there once for each."""
    return [
        binding
        for owner in owners
        for base in owner.__mro__
        for binding in base.__dict__.get("BINDINGS", ())
        if isinstance(binding, Binding) and binding.id
    ]


def problems(app: type[DOMNode], own: Mapping[str, str], chosen: Mapping[str, str]) -> list[str]:
    """What is wrong with the keys of config.toml, in sentences.

    Args:
        app: The program; what it binds works on every screen.
        own: `[keys]` of config.toml.
        chosen: The whole key map.
    """
    everywhere = bindings_of([app])
    rooms = [(room.title, [*everywhere, *bindings_of(room.owners)]) for room in ROOMS]
    known = {str(binding.id) for _, bindings in rooms for binding in bindings}
    return [*unknown(own, known), *(text for title, bindings in rooms for text in clashes(title, bindings, chosen))]
