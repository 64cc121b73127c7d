"""JSON answers as both vendors' servers write them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response


class Json(Response):
    """A JSON document in pure ASCII, so that even a lone surrogate in a name can be sent."""

    media_type = "application/json"

    def __init__(self, content: object, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(json.dumps(content).encode(), status_code, headers)
