"""`digsite pin`: what is never pruned."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tui.cli import exit_codes
from tui.cli.output import document, table, warn
from tui.cli.paths import parse_path
from tui.cli.runner import run
from tui.config import load_config
from tui.errors import PathError
from tui.models import ArtifactRef
from tui.services import open_services
from tui.services.pins import Pin, Pins
from tui.widgets.format import count


@click.command(name="pin")
@click.argument("paths", nargs=-1)
@click.option("--off", is_flag=True, help="Take the pins away.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(paths: tuple[str, ...], off: bool, as_json: bool) -> int:
    """Keep the builds or artifacts at PATHS from being pruned; without PATHS list what is pinned."""
    pins = Pins()
    if paths:
        run(_change(pins, paths, off=off))
    elif off:
        raise click.UsageError("--off wants paths.")
    _print(pins.all(), as_json=as_json)
    return exit_codes.DONE


async def _change(pins: Pins, paths: Sequence[str], *, off: bool) -> None:
    known = {pin.path: pin.ref for pin in pins.all()}
    if off and all(path in known for path in paths):  # also for what the provider no longer has
        pins.remove(known[path] for path in paths)
        return
    chosen: list[Pin] = []
    async with open_services(load_config()) as services:
        for text in paths:
            path = parse_path(text)
            if path.build is None:
                raise PathError(f"The path {text!r} names no build.", hint="Pins are of builds and artifacts.")
            found = await services.resolver.find(path)
            if path.artifact is not None:
                chosen.extend(Pin(a.ref, found.path_of(a, found.siblings)) for a in found.artifacts)
            elif found.build is not None:
                chosen.append(Pin(found.build.ref, found.path))
    if off:
        pins.remove(pin.ref for pin in chosen)
    else:
        pins.add(chosen)


def _print(pins: Sequence[Pin], *, as_json: bool) -> None:
    if as_json:
        listed = [
            {"path": pin.path, "kind": "artifact" if isinstance(pin.ref, ArtifactRef) else "build"} for pin in pins
        ]
        document("pins", pins=listed)
        return
    table([(pin.path,) for pin in pins])
    warn(f"{count(len(pins), 'pin')}.")
