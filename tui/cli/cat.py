"""`digsite cat`: a file inside a remote archive."""

from __future__ import annotations

import sys

import click

from tui.cli.paths import parse_path
from tui.cli.runner import run
from tui.cli.selection import select
from tui.config import load_config
from tui.errors import PathError
from tui.services import open_services


@click.command(name="cat")
@click.argument("path")
def command(path: str) -> None:
    """Write the file MEMBER inside the archive at PATH//MEMBER to stdout, without downloading the archive.

    \b
    digsite ls acme/acme-ios/88/Acme.ipa//
    digsite cat acme/acme-ios/88/Acme.ipa//Payload/Acme.app/Info.plist | plutil -p -
    """
    run(_cat(path))


async def _cat(text: str) -> None:
    path = parse_path(text, inside=True)
    if not path.member:
        raise PathError(f"The path {text!r} names no member.", hint="Write PATH//MEMBER; digsite ls PATH// lists them.")
    async with open_services(load_config()) as services:
        chosen = await select(services, [text.partition("//")[0]])
        if len(chosen) > 1:
            raise PathError(f"{len(chosen)} artifacts match.", hint="digsite ls shows the path of each; choose one.")
        inside = await services.look_inside(chosen[0].artifact)
        await inside.copy(path.member, sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
