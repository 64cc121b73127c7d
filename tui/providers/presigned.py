"""What a presigned URL says of its own lifetime."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit


def expiry(url: str) -> datetime | None:
    """When an AWS Signature V4 query URL ends, aware UTC; None for another way of signing."""
    try:
        query = parse_qs(urlsplit(url).query, max_num_fields=64)
        signed_at = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return signed_at + timedelta(seconds=int(query["X-Amz-Expires"][0]))
    except (KeyError, ValueError, OverflowError):
        return None
