"""`digsite demo`: the explorer, or only the servers, on generated data."""

from __future__ import annotations

import asyncio
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tui.demo.servers import DemoServers
    from tui.services.session import Session


@click.command(name="demo")
@click.option("--serve", is_flag=True, help="Only run the servers; prints the variables that point a client at them.")
@click.option("--port", type=click.IntRange(0, 65533), default=0, help="First of three ports; 0 takes free ones.")
def command(serve: bool, port: int) -> int:
    """Open the explorer on demo data, served on this machine.

    What is changed lasts as long as the demo.
    """
    return serve_demo(port=port) if serve else open_demo(port=port)


def open_demo(*, port: int) -> int:
    """Runs servers and explorer; gives the exit code."""
    from tui.cli.explore import explore
    from tui.demo.servers import DemoServers

    # A catalog of its own: what the demo lists is not to stand among what the user's accounts have.
    with DemoServers(port=port) as servers, tempfile.TemporaryDirectory() as folder:
        return explore(None, demo_sessions(servers), catalog_path=Path(folder) / "catalog.sqlite")


def demo_sessions(servers: DemoServers) -> list[Session]:
    """The demo's two accounts, through the same client code as real ones."""
    from dataclasses import replace

    from tui.models import AccountName
    from tui.providers import plugin, plugin_names
    from tui.services.session import Session

    sessions = []
    environment = servers.environment()
    for name in plugin_names():
        described = plugin(name).environment(environment)
        if described is not None:
            account, secret = described
            account = replace(account, name=AccountName(f"demo-{account.name}"), from_environment=False)
            sessions.append(Session(account, secret, "the demo"))
    return sessions


def serve_demo(*, port: int) -> int:
    """Runs the servers until a signal ends them."""
    from tui.cli.runner import run
    from tui.demo.servers import DemoServers

    with DemoServers(port=port) as servers:
        run(_announce_and_wait(servers), asks=False)
    return 0


async def _announce_and_wait(servers: DemoServers) -> None:
    """Prints when signals are already heard: who reads the last line may end the program at once."""
    for name, value in servers.environment().items():
        one_line = value.strip().replace("\n", "\\n")  # keys are accepted so, too
        click.echo(f"export {name}={shlex.quote(one_line)}")
    click.echo(f"# Bitrise API: {servers.bitrise_url}")
    click.echo(f"# App Store Connect API: {servers.xcode_cloud_url}")
    click.echo(f"# storage: {servers.storage_url}")
    await asyncio.Event().wait()
