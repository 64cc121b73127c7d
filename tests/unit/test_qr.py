"""A QR code that a phone can read: right modules, dark on light, with its quiet zone."""

from __future__ import annotations

import segno

from tui.widgets.qr import QUIET_ZONE, QrCode

URL = "https://app.example/artifact/7626904/p/0123456789abcdef"


def modules(lines: list[str]) -> list[list[bool]]:
    """What half blocks stand for, two rows a line."""
    rows: list[list[bool]] = []
    for line in lines:
        rows.append([char in "▀█" for char in line])
        rows.append([char in "▄█" for char in line])
    return rows


def test_the_half_blocks_are_the_code_with_four_modules_of_light_around() -> None:
    shown = modules(list(QrCode(URL, with_blocks=True).lines()))
    code = [[bool(module) for module in row] for row in segno.make(URL, error="l", micro=False).matrix]
    size = len(code)
    inner = [row[QUIET_ZONE : QUIET_ZONE + size] for row in shown[QUIET_ZONE : QUIET_ZONE + size]]
    assert inner == code
    around = [row for n, row in enumerate(shown) if not QUIET_ZONE <= n < QUIET_ZONE + size]
    assert not any(map(any, around))
    assert all(not any(row[:QUIET_ZONE] + row[QUIET_ZONE + size :]) for row in shown)


def test_every_line_is_dark_on_light_in_as_many_cells() -> None:
    for with_blocks in (True, False):
        code = QrCode(URL, with_blocks=with_blocks)
        columns, lines = code.extent
        for y in range(lines):
            strip = code.render_line(y)
            assert strip.cell_length == columns
            for segment in strip:
                assert segment.style is not None
                assert segment.style.bgcolor is not None
                if with_blocks:
                    assert (segment.style.color.name, segment.style.bgcolor.name) == ("#000000", "#ffffff")  # type: ignore[union-attr]
                else:
                    assert segment.text.isspace()
