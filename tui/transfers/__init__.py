"""Downloads: the queue, resumable parts on disk, and what the user interface sees of them."""

from tui.transfers.destination import ConflictRule
from tui.transfers.history import History
from tui.transfers.queue import TransferQueue
from tui.transfers.retry import RetryPolicy
from tui.transfers.snapshot import INTERRUPTED, QueueSnapshot, TransferId, TransferSnapshot, TransferState
from tui.transfers.store import QueueStore
from tui.transfers.unpack import Refused, unpack

__all__ = [
    "INTERRUPTED",
    "ConflictRule",
    "History",
    "QueueSnapshot",
    "QueueStore",
    "Refused",
    "RetryPolicy",
    "TransferId",
    "TransferQueue",
    "TransferSnapshot",
    "TransferState",
    "unpack",
]
