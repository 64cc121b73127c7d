"""What an archive tells of the app inside it as labelled lines. Imports no Textual."""

from __future__ import annotations

from datetime import datetime

from tui.peek import InsideFacts
from tui.safe_text import clean
from tui.widgets.facts import Facts
from tui.widgets.format import age, count, timestamp

_SHOWN_BINARIES = 40


def inside_lines(facts: InsideFacts, now: datetime) -> Facts:
    """What is known; unknown facts are left out. Everything is safe to show.

    Args:
        facts: Of the app.
        now: Aware UTC; tells whether a profile or certificate has expired.
    """
    known: list[tuple[str, str | None]] = [
        ("App", facts.title),
        ("Identifier", facts.identifier),
        ("Version", " ".join(p for p in (facts.version, _in_brackets(facts.build_number)) if p)),
        ("Minimum OS", facts.minimum_os),
        ("Target", facts.target_os),
    ]
    if (profile := facts.profile) is not None:
        devices = f", {count(profile.devices, 'device')}" if profile.devices is not None else ""
        known += [
            ("Profile", f"{profile.name or 'unnamed'} · {profile.export_method}{devices}"),
            ("Team", profile.team),
            ("Expires", _ends(profile.expires_at, now)),
            *(("Certificate", f"{c.name} · {_ends(c.expires_at, now)}") for c in profile.certificates),
        ]
    known += [
        ("Entitlements", ", ".join(facts.entitlements)),
        ("Permissions", ", ".join(name.removeprefix("android.permission.") for name in facts.permissions)),
        *(
            ("dSYM UUID" if b.is_symbols else "UUID", f"{b.uuid} {b.cpu} {b.name}")
            for b in facts.binaries[:_SHOWN_BINARIES]
        ),
    ]
    left = facts.unread + max(0, len(facts.binaries) - _SHOWN_BINARIES)
    known += [("", f"and {left:,} more" if left else None), ("Not read", facts.note)]
    return [(label, clean(value)) for label, value in known if value]


def _in_brackets(text: str | None) -> str:
    return f"({text})" if text else ""


def _ends(moment: datetime | None, now: datetime) -> str | None:
    if moment is None:
        return None
    if moment <= now:
        return f"{timestamp(moment)}, expired {age(moment, now)} ago"
    return f"{timestamp(moment)}, in {count((moment - now).days, 'day')}"
