"""The client of one account's API: where to, as whom, how often, and what a failure means."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import parse_qsl, unquote

from tui.errors import (
    AuthError,
    BadPayload,
    Conflict,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Unreachable,
)
from tui.http.origin import Origin
from tui.http.payload import decode, is_web_page, parse_json
from tui.http.retry import RETRIED_STATUSES, Gate, RetryPolicy, parse_http_date, parse_retry_after
from tui.http.transport import Answer, Delivery, Fault, Transport
from tui.models import Account
from tui.safe_text import MAX_SHOWN, clean
from tui.secret import Secret

MAX_CONCURRENT: Final = 4
"""Calls of one account at once: Apple answers 429 to busy clients with budget left (forum 731014)."""
CLOCK_TOLERANCE_S: Final = 30.0
"""A clock this far off can make a valid signed token fail."""


class Authorization(Protocol):
    """Gives the value of the Authorization header."""

    async def header(self, clock_offset_s: float) -> Secret:
        """The value for the next request; `clock_offset_s` is the server's clock minus ours."""
        ...

    def renew(self) -> bool:
        """Called after a 401: whether a fresh value is worth one more try."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between APIs when a call fails."""

    explain: Callable[[object], str | None]
    """Reads the server's own message out of a parsed error body."""
    auth_hint: str
    """What to do when the credential is refused."""
    role_hint: str
    """Which role a refused change needs."""


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    what: str
    """What is asked for, one noun for messages: `build`."""
    content: bytes | None = None

    @property
    def mutates(self) -> bool:
        return self.method != "GET"


class ApiClient:
    """Calls one API as one account and gives parsed JSON, or raises a `ProviderError`.

    Args:
        account: For messages, and for `read_only`.
        base_url: https, or http on a loopback host.
        authorization: The credential; it goes to the host of `base_url` and nowhere else.
        dialect: How this API words its errors.
        on_headers: Called with the headers of every answer, names in lower case.

    Raises:
        ConfigError: `base_url` cannot be used.
    """

    def __init__(
        self,
        *,
        account: Account,
        base_url: str,
        authorization: Authorization,
        dialect: Dialect,
        policy: RetryPolicy | None = None,
        on_headers: Callable[[Mapping[str, str]], None] | None = None,
    ) -> None:
        self.origin: Final = Origin.parse(base_url)
        self.clock_offset_s: float | None = None
        """The server's clock minus ours, in seconds, as of the last answer that told its time; None before."""
        self._account = account
        self._authorization = authorization
        self._dialect = dialect
        self._policy = policy or RetryPolicy()
        self._on_headers = on_headers
        self._who = f"{self.origin.host} (account {clean(account.name, 60)})"
        self._gate = Gate(self._policy)
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._transport = Transport(self.origin, connections=MAX_CONCURRENT, who=self._who)

    async def get(self, *segments: str, what: str, params: Mapping[str, str] | None = None) -> object:
        """Reads a resource; repeated on passing faults. `what` is its noun for messages."""
        return await self._call(_Request("GET", self.origin.url(*segments, params=params), what))

    async def get_link(self, url: str, *, what: str) -> object:
        """Follows an address that the server gave, if it is on the same scheme, host and port."""
        return await self._call(_Request("GET", self.origin.adopt(url), what))

    async def patch(self, *segments: str, what: str, body: Mapping[str, object]) -> object:
        """Changes a resource; sent once."""
        content = json.dumps(body).encode()
        return await self._call(_Request("PATCH", self.origin.url(*segments), what, content))

    async def post(self, *segments: str, what: str, body: Mapping[str, object]) -> object:
        """Asks for something new; sent once."""
        content = json.dumps(body).encode()
        return await self._call(_Request("POST", self.origin.url(*segments), what, content))

    async def delete(self, *segments: str, what: str) -> object:
        """Deletes a resource; sent once."""
        return await self._call(_Request("DELETE", self.origin.url(*segments), what))

    async def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> object:
        """Any call: a path below the API's address, with its query, or an address that the API gave."""
        if "://" in path:
            url = self.origin.adopt(path)
        else:
            segments, _, query = path.partition("?")
            params = dict(parse_qsl(query, keep_blank_values=True))
            url = self.origin.url(*(unquote(segment) for segment in segments.strip("/").split("/")), params=params)
        content = None if body is None else json.dumps(body).encode()
        return await self._call(_Request(method, url, "resource", content))

    @property
    def _offset_s(self) -> float:
        return self.clock_offset_s or 0.0

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()

    def check_writable(self) -> None:
        """For a change that is prepared by reading, so that a refusal comes before that.

        Raises:
            NotAllowed: The account is read-only.
        """
        if self._account.read_only:
            raise NotAllowed(
                f"Account {clean(self._account.name, 60)} is read-only; nothing was sent.",
                hint="To allow changes, remove read_only from its section in config.toml, "
                "or run without --read-only and DIGSITE_READ_ONLY.",
            )

    async def _call(self, request: _Request) -> object:
        if request.mutates:
            self.check_writable()
        delivery = Delivery()
        async with self._slots:
            try:
                async with asyncio.timeout(self._policy.total_s):
                    return await self._attempt_all(request, delivery)
            except TimeoutError:
                problem = Unreachable(
                    f"{self._who} gave no whole answer within {self._policy.total_s:.0f} s.",
                    hint="Check the network, or try again later.",
                )
                raise self._lost(request, delivery, problem) from None

    async def _attempt_all(self, request: _Request, delivery: Delivery) -> object:
        """All tries of one call. A change gets one; a refused credential one more with a fresh header."""
        deadline = self._policy.clock() + self._policy.total_s
        renewed = False
        failures = 0
        while True:
            await self._pass_gate(deadline)
            try:
                answer, credential = await self._send(request, delivery)
                if answer.status == 401 and not renewed and self._authorization.renew():
                    renewed = True
                    continue
                return await self._read(request, answer, credential, renewed=renewed)
            except Fault as fault:
                failures += 1
                wait_s = self._policy.backoff_s(failures)
                spent = failures >= self._policy.tries or self._policy.clock() + wait_s > deadline
                if request.mutates or not fault.passing or spent:
                    raise self._lost(request, delivery, fault.error) from fault
                await self._policy.sleep(wait_s)
            except RateLimited:
                failures += 1
                if request.mutates or failures >= self._policy.tries:
                    raise

    async def _send(self, request: _Request, delivery: Delivery) -> tuple[Answer, Secret]:
        delivery.sent = False
        credential = await self._authorization.header(self._offset_s)
        answer = await self._transport.send(request.method, request.url, credential, request.content, delivery)
        server_time = parse_http_date(answer.headers.get("date"))
        if server_time is not None:
            self.clock_offset_s = server_time.timestamp() - self._policy.wall_clock()
        if self._on_headers is not None:
            self._on_headers(answer.headers)
        return answer, credential

    async def _pass_gate(self, deadline: float) -> None:
        while (wait_s := self._gate.remaining_s) > 0:
            if self._policy.clock() + wait_s > deadline:
                raise self._rate_limited(wait_s)
            await self._policy.sleep(wait_s)

    async def _read(self, request: _Request, answer: Answer, credential: Secret, *, renewed: bool) -> object:
        """The JSON of a good answer, or the error that a bad one means."""
        status = answer.status
        if status == 429:
            server_now_s = self._policy.wall_clock() + self._offset_s
            self._gate.close(parse_retry_after(answer.headers.get("retry-after"), server_now_s))
            raise self._rate_limited(self._gate.remaining_s)
        self._gate.opened()
        if 200 <= status < 300:
            try:
                return await decode(answer, who=self._who)
            except BadPayload as error:
                # A change whose answer cannot be read may have been made.
                raise Fault(error, passing=False) from error
        if status >= 500:
            problem = Unreachable(f"{self._who} answered with a server error ({status}).", hint="Try again later.")
            raise Fault(problem, passing=status in RETRIED_STATUSES)
        if 300 <= status < 400:
            raise ProviderError(
                f"{self._who} answered with a redirect to {_target(answer)}; it was not followed.",
                hint="Check the address of the account.",
            )
        raise self._refused(request, status, self._explain(answer, credential), renewed=renewed)

    def _refused(self, request: _Request, status: int, text: str, *, renewed: bool) -> ProviderError:
        match status:
            case 401:
                note = self._clock_note() if renewed else ""
                return AuthError(
                    f"{self._who} does not accept the credential{text or '.'}{note}",
                    hint=self._dialect.auth_hint,
                )
            case 403:
                return NotAllowed(f"{self._who} does not allow this{text or '.'}", hint=self._dialect.role_hint)
            case 404:
                return NotFound(
                    f"{self._who} has no such {request.what}{text or '.'}",
                    hint="It was deleted, has expired, or the credential may not see it.",
                )
            case 409:
                return Conflict(
                    f"{self._who} cannot do this in its present state{text or '.'}",
                    hint="Refresh and look at it again.",
                )
            case _:
                return ProviderError(f"{self._who} refused the request ({status}){text or '.'}")

    def _clock_note(self) -> str:
        """For a credential that can be renewed: one signed with the time fails when the clock is off."""
        off_s = -self._offset_s
        if abs(off_s) <= CLOCK_TOLERANCE_S:
            return ""
        return f" This machine's clock is {abs(off_s):.0f} s {'ahead' if off_s > 0 else 'behind'}."

    def _explain(self, answer: Answer, credential: Secret) -> str:
        """The server's own words, as the end of a sentence; empty when it has none for people."""
        if is_web_page(answer):
            return ": it sent a web page instead of API data."
        try:
            text = self._dialect.explain(parse_json(answer.body, who=self._who))
        except BadPayload:
            text = answer.body.decode("utf-8", "replace")
        if not text or not text.strip():
            return ""
        # A server may repeat what it was sent.
        text = text.replace(credential.reveal().rpartition(" ")[2], "***")
        shown = clean(text.strip()[: MAX_SHOWN + 1])
        return f": {shown}" if shown.endswith((".", "!", "?", "…")) else f": {shown}."

    def _rate_limited(self, wait_s: float) -> RateLimited:
        return RateLimited(
            f"{self._who} asks to wait {wait_s:.0f} s before the next call.",
            retry_after_s=wait_s,
            hint="The limit is the service's; it counts all programs that use the same credential.",
        )

    def _lost(self, request: _Request, delivery: Delivery, error: ProviderError) -> ProviderError:
        """What a failed call means: for a change that was sent, that nobody knows."""
        if not (request.mutates and delivery.sent):
            return error
        return OutcomeUnknown(
            f"The change was sent, but its answer was lost: {error.message}",
            hint="It may have been made; refresh to see. It is not repeated by itself.",
        )


def _target(answer: Answer) -> str:
    """Where a redirect points, without its query, which may be a credential."""
    location = answer.headers.get("location", "")
    return clean(location.partition("?")[0], 200) or "nowhere"
