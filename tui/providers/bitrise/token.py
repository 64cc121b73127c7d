"""The access token of Bitrise: what people paste, and how it is sent."""

from __future__ import annotations

import re
from typing import Final

from tui.errors import CredentialError
from tui.secret import Secret

_PREFIX: Final = re.compile(r"\A(?:authorization\s*:\s*)?(?:token(?:\s+|\Z))?", re.IGNORECASE)
"""Documentation shows the header with and without the word `token`; both get pasted."""
_HINT: Final = "Copy the token again, from Bitrise's page for personal access tokens or workspace API tokens."


def clean_token(secret: Secret) -> Secret:
    """The bare token out of what was pasted.

    Raises:
        CredentialError: It is empty or holds a character that no token has; tells where, never what.
    """
    pasted = secret.reveal()
    text = pasted.strip().strip("'\"").strip()
    token = _PREFIX.sub("", text, count=1)
    if not token:
        raise CredentialError("The token is empty.", hint=_HINT)
    offset = pasted.find(token)
    for index, char in enumerate(token, start=offset + 1):
        if char.isspace():
            raise CredentialError(f"The token has a blank or a line break at position {index}.", hint=_HINT)
        if not "!" <= char <= "~":
            raise CredentialError(f"The token has a character at position {index} that is not plain ASCII.", hint=_HINT)
    return Secret(token)


class TokenAuthorization:
    """Sends the token bare, as Bitrise documents it now, or after the word `token`, as it did before."""

    def __init__(self, token: Secret, *, worded: bool) -> None:
        self._header = Secret(f"token {token.reveal()}") if worded else token

    async def header(self, clock_offset_s: float) -> Secret:
        """The same value always: a token does not depend on the time."""
        return self._header

    def renew(self) -> bool:
        """There is no other token to try."""
        return False
