"""The API client: one origin, one credential, one retry policy, one mapping of errors."""

from tui.http.client import ApiClient, Authorization, Dialect
from tui.http.origin import Origin
from tui.http.retry import RetryPolicy

__all__ = ["ApiClient", "Authorization", "Dialect", "Origin", "RetryPolicy"]
