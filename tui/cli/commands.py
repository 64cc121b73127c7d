"""The verbs. Without click: a path is told from a verb before anything is parsed."""

from __future__ import annotations

from typing import Final

COMMANDS: Final = {
    "abort": "End a build that is under way.",
    "api": "Make any call of a provider's API.",
    "accounts": "List, add, remove and check accounts.",
    "archive": "Copy artifacts to a folder or bucket, verify and restore them, prune the provider.",
    "completion": "Print what a shell needs to complete verbs and paths.",
    "cat": "Write a file inside a remote archive to stdout.",
    "demo": "Open the explorer on demo data, served on this machine.",
    "diff": "Tell what changed between two builds, or two artifacts.",
    "expiring": "List what providers will drop, soonest first.",
    "get": "Download artifacts.",
    "identify": "Find the build and artifact that a file, or a crash's UUID, comes from.",
    "index": "List builds and artifacts into the catalog.",
    "log": "Write the log of a build to stdout.",
    "ls": "List what is there: apps, builds or artifacts.",
    "pin": "Keep artifacts from being pruned.",
    "rm": "Delete artifacts.",
    "share": "Switch a public install page on or off.",
    "show": "Show everything known of one thing.",
    "start": "Start a build, or repeat one.",
    "stats": "Count artifacts and bytes; what eats the space.",
    "token": "Mint a long-lived, read-only Xcode Cloud token.",
}
"""The verbs; each is `tui.cli.VERB:command`, imported when it is called."""

COMPLETING: Final = "_DIGSITE_COMPLETE"
"""Set by a shell that asks what could follow."""
