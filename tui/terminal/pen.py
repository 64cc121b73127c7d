"""How a cell is drawn, and the shortest colour code that leads from one way to another."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple


class Pen(NamedTuple):
    """Attributes, colours and link of a cell, each as its own SGR parameters; empty stands for the default."""

    attributes: frozenset[str] = frozenset()
    colour: str = ""
    background: str = ""
    link: str = ""
    """The parameters of an OSC 8 sequence, `id=…;URL`."""


PLAIN: Final = Pen()

_OFF: Final = {
    "1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28", "9": "29",
    "21": "24", "51": "54", "52": "54", "53": "55",
}  # fmt: skip
"""Which parameter ends an attribute."""
_SEEN_ON_BLANKS: Final = frozenset({"4", "5", "6", "7", "9", "21", "51", "52", "53"})


@lru_cache(maxsize=4096)
def on_blanks(pen: Pen) -> Pen:
    """What of a pen can be seen where nothing is written."""
    if pen.attributes & _SEEN_ON_BLANKS:
        return pen
    return Pen(background=pen.background, link=pen.link)


@lru_cache(maxsize=4096)
def after(pen: Pen, parameters: str) -> Pen:
    """The pen after an SGR sequence with these parameters, as `1;38;2;255;0;0`."""
    attributes, (_, colour, background, link) = set(pen.attributes), pen
    numbers = iter(parameters.split(";"))
    for number in numbers:
        match number:
            case "" | "0":
                attributes, colour, background = set(), "", ""
            case "38":
                colour = _extended(number, numbers)
            case "48":
                background = _extended(number, numbers)
            case "39":
                colour = ""
            case "49":
                background = ""
            case _ if number in _OFF:
                attributes.add(number)
            case _ if number in _OFF.values():
                attributes -= {attribute for attribute, off in _OFF.items() if off == number}
            case _ if number[:-1] in {"3", "9"}:
                colour = number
            case _ if number[:-1] in {"4", "10"}:
                background = number
    return Pen(frozenset(attributes), colour, background, link)


def _extended(first: str, rest: Iterator[str]) -> str:
    """A colour of the palette (`38;5;N`) or of 24 bits (`38;2;R;G;B`)."""
    kind = next(rest, "5")
    return ";".join([first, kind, *(next(rest, "0") for _ in range(3 if kind == "2" else 1))])


@lru_cache(maxsize=4096)
def change(old: Pen, new: Pen) -> str:
    """The shortest sequences that turn one pen into another."""
    steps = _steps(old, new)
    fresh = ["", *_steps(PLAIN._replace(link=old.link), new)]
    if steps:
        steps = min(steps, fresh, key=lambda codes: len(";".join(codes)))
    colours = f"\x1b[{';'.join(steps)}m" if steps else ""
    link = f"\x1b]8;{new.link or ';'}\x1b\\" if old.link != new.link else ""
    return colours + link


def _steps(old: Pen, new: Pen) -> list[str]:
    ended = {_OFF[attribute] for attribute in old.attributes - new.attributes}
    # One parameter ends both bold and dim, so what it ends beside what it should has to be begun again.
    begun = {a for a in new.attributes if a not in old.attributes or _OFF[a] in ended}
    steps = [*sorted(ended), *sorted(begun)]
    if old.colour != new.colour:
        steps.append(new.colour or "39")
    if old.background != new.background:
        steps.append(new.background or "49")
    return steps


@lru_cache(maxsize=4096)
def change_for_blank(old: Pen, blank: Pen) -> tuple[str, Pen]:
    """Like `change` for a blank: what cannot be seen on one stays as it is. Gives the pen then, too."""
    if old.attributes & _SEEN_ON_BLANKS or blank.attributes:
        return change(old, blank), blank
    then = old._replace(background=blank.background, link=blank.link)
    return change(old, then), then
