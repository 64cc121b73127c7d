"""What to build: a workflow, and a branch, tag, commit or pull request, completed from what the provider knows."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Final, NamedTuple

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.errors import DigsiteError, PathError
from tui.models import AppRef
from tui.models.inspection import GitRef, StartRequest, Workflow
from tui.safe_text import clean
from tui.services.start_choices import COMMIT, KINDS, StartChoice, parse_environment
from tui.widgets.dialogs import FORM_BINDINGS

_SHOWN: Final = 6
_MAX_REFS: Final = 5000


class Startable(NamedTuple):
    """What an app offers to a start."""

    app: AppRef
    title: str
    workflows: Callable[[], Awaitable[Sequence[Workflow]]]
    git_refs: Callable[[Workflow], AsyncIterator[GitRef]]
    takes_environment: bool
    takes_clean: bool


class StartDialog(ModalScreen[tuple[StartChoice, StartRequest] | None]):
    """Asks what to start; gives the choice and the request made of it, or None.

    Args:
        startable: Where it is started.
        choice: What it starts with.
    """

    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-tall")]  # noqa: RUF012  # Textual reads it from the class
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="start.cancel"),
        *FORM_BINDINGS,
    ]

    def __init__(self, startable: Startable, choice: StartChoice) -> None:
        super().__init__()
        self._startable, self._choice = startable, choice
        self._workflows: Sequence[Workflow] = ()
        self._refs: list[GitRef] = []
        self._refs_of = ""
        self._offered: list[str] = []
        self._completes: Input | None = None

    def compose(self) -> ComposeResult:
        choice = self._choice
        with Vertical(classes="dialog"):
            yield Static(Content(clean(f"Start a build of {self._startable.title}")), classes="dialog--title")
            yield Static("Workflow", classes="form--label")
            yield Input(choice.workflow, id="workflow", compact=True)
            yield Button("", id="kind", compact=True)
            yield Input(choice.ref, id="ref", compact=True)
            yield OptionList(id="candidates", compact=True)
            if self._startable.takes_environment:
                yield Static("Environment, as NAME=value NAME2='two words'", classes="form--label")
                yield Input("", id="environment", compact=True)
            if self._startable.takes_clean:
                yield Button("", id="clean", compact=True)
            yield Static("", id="start-state", classes="dialog--text", markup=False)
            yield Static("tab next · down completes · enter goes on · esc cancels", classes="dialog--prompt")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Start", id="start", compact=True, variant="primary")
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self._show_choices()
        self.query_one("#workflow").focus()
        self._load_workflows()

    @property
    def candidates(self) -> list[str]:
        """What is offered to complete the field that has the focus."""
        options = self.query_one("#candidates", OptionList)
        return [str(options.get_option_at_index(n).prompt) for n in range(options.option_count)]

    # What is offered --------------------------------------------------------------------------------------

    @work(description="list workflows")
    async def _load_workflows(self) -> None:
        try:
            self._workflows = await self._startable.workflows()
        except DigsiteError as error:
            self._complain(str(error))
            return
        self._show_candidates()
        self._load_refs()

    @work(exclusive=True, group="refs", description="list branches")
    async def _load_refs(self) -> None:
        """The references of the typed workflow, as they come."""
        name = self.query_one("#workflow", Input).value.strip()
        workflow = next((one for one in self._workflows if name in {one.name, one.id}), None)
        if workflow is None or workflow.id == self._refs_of:
            return
        self._refs_of, self._refs = workflow.id, []
        try:
            async for ref in self._startable.git_refs(workflow):
                self._refs.append(ref)
                if len(self._refs) >= _MAX_REFS:
                    break
                if len(self._refs) % 50 == 1:
                    self._show_candidates()
        except DigsiteError as error:
            self._complain(str(error))
        self._show_candidates()

    def _offers(self) -> list[str]:
        """What the field with the focus can be completed to."""
        focused = self.focused
        if not isinstance(focused, Input) or focused.id not in {"workflow", "ref"}:
            return []
        typed = focused.value.strip().lower()
        if focused.id == "workflow":
            names = [workflow.name for workflow in self._workflows if workflow.is_enabled]
        else:
            names = [ref.name for ref in self._refs if str(ref.kind) == self._choice.kind]
        if focused.value in names:  # complete: the others are offered instead
            typed = ""
        starting = [name for name in names if name.lower().startswith(typed)]
        containing = [name for name in names if typed in name.lower() and name not in starting]
        return [name for name in [*starting, *containing] if name != focused.value][:_SHOWN]

    def _show_candidates(self) -> None:
        if not self.is_attached or isinstance(self.focused, OptionList):
            return
        offers = self._offers()
        options = self.query_one("#candidates", OptionList)
        options.clear_options()
        options.add_options(Option(Content(clean(name, 200))) for name in offers)
        options.display = bool(offers)
        self._offered = offers
        if isinstance(self.focused, Input):
            self._completes = self.focused

    def on_key(self, event: events.Key) -> None:
        options = self.query_one("#candidates", OptionList)
        if event.key == "down" and isinstance(self.focused, Input) and options.option_count:
            event.stop()
            options.highlighted = 0
            options.focus()

    @on(OptionList.OptionSelected)
    def _take(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self._completes is None:
            return
        self._completes.value = self._offered[event.option_index]
        self._completes.focus()
        self._show_candidates()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._complain("")
        self._show_candidates()

    def on_descendant_focus(self) -> None:
        if not isinstance(self.focused, OptionList):
            self._show_candidates()
        if self.focused is not None and self.focused.id == "ref":
            self._load_refs()

    # What is chosen ---------------------------------------------------------------------------------------

    def _show_choices(self) -> None:
        kind = self._choice.kind
        self.query_one("#kind", Button).label = Content(f"Of a {kind} (enter changes)")
        if self._startable.takes_clean:
            answer = "yes" if self._choice.is_clean else "no"
            self.query_one("#clean", Button).label = Content(f"Clean: {answer} (enter changes)")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next(Input if event.input.id == "workflow" else "#start")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        match event.button.id:
            case "kind":
                kinds = KINDS if self._startable.takes_environment else tuple(k for k in KINDS if k != COMMIT)
                at = kinds.index(self._choice.kind) if self._choice.kind in kinds else -1
                self._choice = replace(self._choice, kind=kinds[(at + 1) % len(kinds)])
            case "clean":
                self._choice = replace(self._choice, is_clean=not self._choice.is_clean)
            case "start":
                self._start()
            case _:
                self.dismiss(None)
        self._show_choices()

    def _start(self) -> None:
        choice = replace(
            self._choice, workflow=self.query_one("#workflow", Input).value, ref=self.query_one("#ref", Input).value
        )
        try:
            environment = {}
            if self._startable.takes_environment:
                environment = parse_environment(_words(self.query_one("#environment", Input).value))
            self.dismiss((choice, choice.request(self._startable.app, environment)))
        except PathError as error:
            self._complain(error.message)

    def _complain(self, text: str) -> None:
        state = self.query_one("#start-state", Static)
        state.update(Content(clean(text, 300)))
        state.set_class(bool(text), "-bad")

    def action_cancel(self) -> None:
        """Closes; nothing is started."""
        self.dismiss(None)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise PathError("A quote in the environment is not closed.") from error
