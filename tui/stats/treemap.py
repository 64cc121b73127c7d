"""A squarified treemap: areas as large as what they stand for, as near to squares as they can be.

After Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000), on a grid: edges are whole cells, so that nothing
overlaps and no gap is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

CELL_TALL: Final = 2.0
"""Height of a terminal's cell in its widths."""
_LEAST_CELLS: Final = (16, 8, 4)
"""What would get less is gathered, for want of room for its name; the next where that would be most of the map."""
_LEAST_WIDTH: Final = 3
"""Of a box, so that it is seen at all."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the map, in cells from its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Whether a cell is in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


def treemap(
    weights: Sequence[int],
    width: int,
    height: int,
    *,
    tall: float = CELL_TALL,
    least: Sequence[int] = _LEAST_CELLS,
) -> list[Box]:
    """Boxes for the largest, in their order; where some are left over, the last box is that of all others.

    A box may be larger than its share by the cell or two that let it be seen.

    Args:
        weights: The largest first; none below 0.
        width: Of the map, in cells.
        height: Of the map, in cells.
        tall: Height of a cell in its widths.
        least: Cells that a box would have at least; smaller ones are gathered. The next is tried where that would be
            most of the map.
    """
    whole = sum(weights)
    if whole <= 0 or width < 1 or height < 1:
        return []
    shown = 0
    for cells in least:
        shown = sum(weight > 0 and weight * width * height >= whole * cells for weight in weights)
        if 2 * sum(weights[:shown]) >= whole:
            break
    while True:
        rest = sum(weights[shown:])
        drawn = [*weights[:shown], *([rest] if rest else [])]
        boxes = list(_squarified(drawn, Box(0, 0, width, height), tall))
        if shown == 0 or all(box.width >= min(_LEAST_WIDTH, width) and box.height for box in boxes):
            return boxes
        shown -= 1


def neighbour(boxes: Sequence[Box], at: int, dx: int, dy: int) -> int:
    """The box that one comes to from another; the same where the map ends.

    Of several that touch that side, the one that touches most of it.

    Args:
        boxes: Of one map.
        at: Number of the box one is in.
        dx: 1 to the right, -1 to the left, else 0.
        dy: 1 down, -1 up, else 0.
    """
    here = boxes[at]

    def touching(there: Box) -> int:
        if dx:
            edge = there.x == here.x + here.width if dx > 0 else there.x + there.width == here.x
            return edge * (min(here.y + here.height, there.y + there.height) - max(here.y, there.y))
        edge = there.y == here.y + here.height if dy > 0 else there.y + there.height == here.y
        return edge * (min(here.x + here.width, there.x + there.width) - max(here.x, there.x))

    best = max(range(len(boxes)), key=lambda number: touching(boxes[number]))
    return best if touching(boxes[best]) > 0 else at


def _squarified(weights: Sequence[int], room: Box, tall: float) -> Iterator[Box]:
    """Strip after strip along the shorter side of the room that is left."""
    start = 0
    while start < len(weights):
        if not (room.width and room.height):
            yield room
            start += 1
            continue
        is_column = room.width >= room.height * tall
        along, across = (room.height, room.width) if is_column else (room.width, room.height)
        side = along * tall if is_column else along
        left = sum(weights[start:])
        end = _strip_end(weights, start, side, room.width * room.height * tall / left)
        strip = weights[start:end]
        least = _LEAST_WIDTH if is_column else 1
        fair = min(max(round(across * sum(strip) / left), least), max(across - least, 1))
        thick = fair if end < len(weights) else across
        cuts = [round(along * part / sum(strip)) for part in accumulate(strip, initial=0)]
        for first, last in pairwise(cuts):
            if is_column:
                yield Box(room.x, room.y + first, thick, last - first)
            else:
                yield Box(room.x + first, room.y, last - first, thick)
        if is_column:
            room = Box(room.x + thick, room.y, room.width - thick, room.height)
        else:
            room = Box(room.x, room.y + thick, room.width, room.height - thick)
        start = end


def _strip_end(weights: Sequence[int], start: int, side: float, scale: float) -> int:
    """How far a strip goes: until one more would make its worst box longer.

    Args:
        weights: All of them.
        start: Number of the first in the strip.
        side: Length of the strip.
        scale: Area for each unit of weight.
    """
    best, total = float("inf"), 0.0
    for end in range(start, len(weights)):
        total += weights[end] * scale
        sizes = [weight * scale for weight in weights[start : end + 1]]
        smallest, largest = min(sizes), max(sizes)
        worst = max(side**2 * largest / total**2, total**2 / (side**2 * smallest))
        if worst > best:
            return end
        best = worst
    return len(weights)
