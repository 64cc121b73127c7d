"""`digsite completion`: what makes a shell complete verbs, options and paths."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem, get_completion_class

_VARIABLE = "_DIGSITE_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")
_NO_BLANK = {
    # A path goes on after a slash, so the shell must not end the word there. Fish knows that by itself.
    "bash": ("    return 0\n", "    [[ ${COMPREPLY[0]} == */ ]] && compopt -o nospace\n\n    return 0\n"),
    "zsh": (
        "compadd -U -V unsorted -a completions",
        "if [[ ${completions[1]} == */ ]]; then compadd -U -S '' -V unsorted -a completions;"
        " else compadd -U -V unsorted -a completions; fi",
    ),
}


@click.command(name="completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print what SHELL must read to complete verbs, options and paths; paths come from what was listed before.

    \b
    eval "$(digsite completion bash)"                                     in ~/.bashrc
    eval "$(digsite completion zsh)"                                      in ~/.zshrc
    digsite completion fish > ~/.config/fish/completions/digsite.fish
    """
    from tui.cli.group import digsite

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    before, after = _NO_BLANK.get(shell, ("", ""))
    click.echo(found(digsite, {}, "digsite", _VARIABLE).source().replace(before, after))


class PathType(click.types.StringParamType):
    """A path; completed from the configured accounts and the catalog, without asking any provider."""

    name = "path"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Paths that begin so."""
        return [CompletionItem(path) for path in children(incomplete)]


def children(incomplete: str) -> list[str]:
    """Paths that begin so, one level at a time; those that go on end in a slash."""
    if incomplete.startswith("@"):
        return [name for name in _digs() if name.startswith(incomplete)]
    parent, slash, _ = incomplete.rpartition("/")
    if parent.endswith("/"):  # a member of an archive: it would have to be asked for
        return []
    return [path for child in _children(parent) if (path := f"{parent}{slash}{child}").startswith(incomplete)]


def _digs() -> list[str]:
    from tui.config import load_config
    from tui.errors import ConfigError

    try:
        return [f"@{name}" for name in load_config().habits.digs]
    except ConfigError:
        return []


def _children(parent: str) -> Iterable[str]:
    from tui.catalog.store import Catalog
    from tui.config import load_config
    from tui.errors import DigsiteError
    from tui.folders import cache_dir
    from tui.paths import DigPath, encode
    from tui.services import configured_sessions
    from tui.services.resolve import app_part, artifact_part, build_part

    try:
        path = DigPath.parse(parent)
        sessions, _ = configured_sessions(load_config())
    except DigsiteError:
        return
    if path.account is None:
        yield from (f"{encode(session.account.name)}/" for session in sessions)
        return
    database = cache_dir() / "catalog.sqlite"
    session = next((each for each in sessions if each.account.name == path.account), None)
    if session is None or not database.exists():
        return
    catalog = Catalog(database)
    try:
        apps = kept.items if (kept := catalog.apps(session.account.name)) else ()
        if path.app is None:
            yield from (f"{encode(app_part(app, apps))}/" for app in apps)
            return
        app = next((each for each in apps if path.app in {each.ref.app, app_part(each, apps)}), None)
        builds = kept_builds.items if app and (kept_builds := catalog.builds(app.ref)) else ()
        if path.build is None:
            yield from (f"{encode(build_part(build))}/" for build in builds)
            yield from ("latest/", "latest-green/")
            return
        wanted = path.build.text
        build = next((each for each in builds if wanted in {build_part(each), str(each.ref.build)}), None)
        artifacts = kept_files.items if build and (kept_files := catalog.artifacts(build.ref)) else ()
        yield from (artifact_part(artifact, artifacts) for artifact in artifacts)
    finally:
        catalog.close()
