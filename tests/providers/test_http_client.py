from __future__ import annotations

import asyncio
import gzip
import json
import time
from email.utils import formatdate

import pytest

from tests.providers.conftest import (
    TOKEN,
    FakeTime,
    FixedAuthorization,
    MakeClient,
    Reply,
    ScriptedServer,
    change,
    read,
    reply,
    statuses,
)
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
from tui.http import RetryPolicy


async def test_a_segment_cannot_leave_its_place(server: ScriptedServer, make_client: MakeClient) -> None:
    await make_client().get("apps", "../../evil?x=1#", "..", what="app", params={"branch": "a&b=c d"})
    request = server.requests[0]
    assert request.path == "/v0.1/apps/..%2F..%2Fevil%3Fx%3D1%23/%2E%2E"
    assert request.query == {"branch": "a&b=c d"}
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_get_is_tried_four_times_on_server_errors(
    status: int, server: ScriptedServer, make_client: MakeClient, clock: FakeTime
) -> None:
    server.answer_with(*statuses(*[status] * 5))
    with pytest.raises(Unreachable, match=rf"acme.*{status}"):
        await read(make_client())
    assert len(server.requests) == 4
    assert clock.slept == [0.5, 1.0, 2.0]


async def test_get_recovers(server: ScriptedServer, make_client: MakeClient) -> None:
    server.answer_with(*statuses(503), None, reply({"data": [1]}))
    assert await read(make_client()) == {"data": [1]}
    assert len(server.requests) == 3


async def test_a_body_cut_short_is_a_network_fault(server: ScriptedServer, make_client: MakeClient) -> None:
    cut = reply({"data": ["x" * 200]})[:-64]
    server.answer_with(cut.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1), reply({"data": [2]}))
    assert await read(make_client()) == {"data": [2]}


@pytest.mark.parametrize("method", ["patch", "delete"])
@pytest.mark.parametrize("answer", [None, *statuses(500, 503)])
async def test_a_change_is_never_repeated_once_sent(
    method: str, answer: Reply, server: ScriptedServer, make_client: MakeClient
) -> None:
    server.answer_with(answer)
    with pytest.raises(OutcomeUnknown):
        await change(make_client(), method)
    assert len(server.requests) == 1


@pytest.mark.parametrize("raw", [b"<html>sign in</html>", b'{"data": ', b"\xff\xfe"])
async def test_a_change_with_an_unreadable_answer_is_unknown(
    raw: bytes, server: ScriptedServer, make_client: MakeClient
) -> None:
    server.answer_with(reply(raw=raw))
    with pytest.raises(OutcomeUnknown):
        await change(make_client(), "delete")


async def test_a_change_that_could_not_be_sent_is_not_unknown(server: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client(server.refuse_connections())
    with pytest.raises(Unreachable):
        await change(client, "delete")


async def test_a_change_is_not_repeated_when_rate_limited(server: ScriptedServer, make_client: MakeClient) -> None:
    server.answer_with(reply({}, status=429, headers={"Retry-After": "2"}))
    with pytest.raises(RateLimited):
        await change(make_client(), "patch")
    assert len(server.requests) == 1


async def test_read_only_sends_no_change(server: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client(read_only=True)
    for method in ("patch", "delete"):
        with pytest.raises(NotAllowed, match="read-only"):
            await change(client, method)
    assert server.requests == []
    await read(client)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("retry_after", "waits_s"),
    [
        ("3", 3.0),
        ("0", 1.0),
        ("-5", 1.0),
        # Named: two workers that collect in different seconds must give it one name.
        pytest.param(formatdate(time.time() + 3600, usegmt=True), None, id="date-None"),
        ("1" * 30, None),
    ],
)
async def test_retry_after_is_honoured_and_clamped(
    retry_after: str,
    waits_s: float | None,
    server: ScriptedServer,
    make_client: MakeClient,
    clock: FakeTime,
) -> None:
    server.answer_with(reply({}, status=429, headers={"Retry-After": retry_after}), reply({"data": []}))
    client = make_client()
    if waits_s is None:  # longer than the whole call may take
        with pytest.raises(RateLimited) as caught:
            await read(client)
        assert caught.value.retry_after_s == pytest.approx(900)
        assert clock.slept == []
    else:
        await read(client)
        assert clock.slept == [waits_s]


async def test_one_gate_stops_all_calls_inside_the_window(
    server: ScriptedServer, make_client: MakeClient, clock: FakeTime
) -> None:
    server.answer_with(reply({}, status=429, headers={"Retry-After": "100"}))
    client = make_client()
    with pytest.raises(RateLimited):
        await read(client)
    with pytest.raises(RateLimited) as caught:
        await client.get("builds", what="build")
    assert caught.value.retry_after_s == 100
    assert len(server.requests) == 1
    clock.now += 100
    await read(client)
    assert len(server.requests) == 2


@pytest.mark.parametrize("header", [{}, {"Retry-After": "soon"}])
async def test_429_without_a_time_doubles_its_wait(
    header: dict[str, str], server: ScriptedServer, make_client: MakeClient, clock: FakeTime
) -> None:
    server.answer_with(*[reply({}, status=429, headers=header)] * 200)
    client = make_client()
    with pytest.raises(RateLimited):
        await read(client)
    assert len(server.requests) == 4
    assert clock.slept == [1.0, 2.0, 4.0]
    waits = []
    for _ in range(16):
        clock.now += 4000
        with pytest.raises(RateLimited) as caught:
            await read(client)
        waits.append(caught.value.retry_after_s)
    assert waits == sorted(waits)
    assert waits[-1] == 3600


async def test_a_good_answer_ends_the_row_of_refusals(
    server: ScriptedServer, make_client: MakeClient, clock: FakeTime
) -> None:
    refusal = reply({}, status=429)
    server.answer_with(refusal, refusal, reply({}), refusal, reply({}))
    client = make_client()
    await read(client)
    await read(client)
    assert clock.slept == [1.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ProviderError),
        (401, AuthError),
        (403, NotAllowed),
        (404, NotFound),
        (409, Conflict),
        (422, ProviderError),
    ],
)
async def test_a_refusal_becomes_one_error_with_host_account_and_the_servers_words(
    status: int, error: type[ProviderError], server: ScriptedServer, make_client: MakeClient
) -> None:
    hostile = f"bad \x1b]52;c;x\x07 [/] {TOKEN} \u202e" + "y" * 5000
    server.answer_with(reply({"message": hostile}, status=status))
    with pytest.raises(error) as caught:
        await read(make_client())
    message = caught.value.message
    assert "127.0.0.1" in message
    assert "acme" in message
    assert "bad" in message
    assert message.isprintable()
    assert len(message) < 700
    assert TOKEN not in str(caught.value)
    assert len(server.requests) == 1


async def test_a_refused_credential_is_retried_once_with_a_fresh_one(
    server: ScriptedServer, make_client: MakeClient
) -> None:
    server.answer_with(*statuses(401), reply({"data": []}))
    await read(make_client(authorization=FixedAuthorization(["fresh"])))
    assert [r.headers["authorization"] for r in server.requests] == [f"Bearer {TOKEN}", "Bearer fresh"]


async def test_a_change_that_was_refused_and_then_could_not_be_sent_is_not_unknown(
    server: ScriptedServer, make_client: MakeClient
) -> None:
    class LastAuthorization(FixedAuthorization):
        def renew(self) -> bool:
            assert server.listener is not None
            server.listener.close()
            return True

    server.answer_with(reply({}, status=401, headers={"Connection": "close"}))
    with pytest.raises(Unreachable):
        await change(make_client(authorization=LastAuthorization()), "delete")


async def test_a_credential_refused_twice_tells_how_far_the_clock_is_off(
    server: ScriptedServer, make_client: MakeClient
) -> None:
    past = formatdate(time.time() - 95, usegmt=True)
    server.answer_with(*[reply({}, status=401, headers={"Date": past})] * 3)
    with pytest.raises(AuthError, match=r"clock is 9\d s ahead"):
        await read(make_client(authorization=FixedAuthorization(["fresh", "fresher"])))
    assert len(server.requests) == 2


async def test_a_redirect_is_not_followed_and_named_without_its_query(
    server: ScriptedServer, other_server: ScriptedServer, make_client: MakeClient
) -> None:
    server.answer_with(reply({}, status=302, headers={"Location": other_server.url + "/login?sig=secret"}))
    with pytest.raises(ProviderError) as caught:
        await read(make_client())
    assert other_server.url in caught.value.message
    assert "secret" not in caught.value.message
    assert other_server.requests == []


async def test_a_link_is_followed_on_its_own_origin_only(
    server: ScriptedServer, other_server: ScriptedServer, make_client: MakeClient
) -> None:
    client = make_client()
    path = "/v0.1/x"
    await client.get_link(server.url + path + "?cursor=a%2Bb&limit=2", what="page")
    assert server.requests[0].path == path
    assert server.requests[0].query == {"cursor": "a+b", "limit": "2"}
    port = server.url.rpartition(":")[2]
    foreign = [
        other_server.url + path,
        server.url.replace("http:", "https:") + path,
        f"http://127.0.0.1@localhost:{port}{path}",
        f"http://user:pw@127.0.0.1:{port}{path}",
        f"http://127.0.0.1:{port}\\@evil.example{path}",
        "http://127.0.0.1:99999999/",
        "file:///etc/passwd",
        "/v1/relative",
        "http://[::1",
        "",
    ]
    for url in foreign:
        with pytest.raises(ProviderError):
            await client.get_link(url, what="page")
    assert other_server.requests == []
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b'{"data": [1, 2',
        b"[" * 200_000,
        b'{"n": ' + b"9" * 5000 + b"}",
        b'{"n": NaN}',
        b'{"n": -Infinity}',
        b'{"title": "\xff\xfe"}',
        b"plain words",
    ],
)
async def test_what_is_not_json_is_one_typed_error(raw: bytes, server: ScriptedServer, make_client: MakeClient) -> None:
    server.answer_with(reply(raw=raw))
    with pytest.raises(BadPayload):
        await read(make_client())


async def test_a_byte_order_mark_is_no_fault(server: ScriptedServer, make_client: MakeClient) -> None:
    server.answer_with(reply(raw=b"\xef\xbb\xbf" + b'{"data": []}'))
    assert await read(make_client()) == {"data": []}


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json"])
async def test_a_web_page_is_named_as_one(kind: str, server: ScriptedServer, make_client: MakeClient) -> None:
    server.answer_with(reply(raw=b"\n<!doctype html><p>Log in", headers={"Content-Type": kind}))
    with pytest.raises(BadPayload, match=r"[Ww]eb page.*127\.0\.0\.1.*instead of API data"):
        await read(make_client())


async def test_a_large_answer_is_read_whole(server: ScriptedServer, make_client: MakeClient) -> None:
    body = {"data": ["é" * 1000] * 300}
    raw = json.dumps(body, ensure_ascii=False).encode()
    server.answer_with(reply(raw=raw))
    assert await read(make_client()) == body


@pytest.mark.parametrize("packed", [False, True])
async def test_an_endless_answer_is_cut_off(packed: bool, server: ScriptedServer, make_client: MakeClient) -> None:
    body = b" " * (9 * 1024 * 1024)
    if packed:
        server.answer_with(reply(raw=gzip.compress(body), headers={"Content-Encoding": "gzip"}))
    else:
        server.answer_with(reply(raw=body))
    with pytest.raises(BadPayload, match="8 MB"):
        await read(make_client())


async def test_gzip_is_understood_and_its_truncation_noticed(server: ScriptedServer, make_client: MakeClient) -> None:
    packed = gzip.compress(b'{"data": []}')
    gzipped = {"Content-Encoding": "gzip"}
    server.answer_with(
        reply(raw=packed[:-6], headers=gzipped),
        reply(raw=b"junk", headers=gzipped),
        reply(raw=packed, headers=gzipped),
    )
    assert await read(make_client()) == {"data": []}
    assert len(server.requests) == 3


async def test_a_silent_server_ends_at_the_total_deadline(server: ScriptedServer, make_client: MakeClient) -> None:
    server.hold = asyncio.Event()
    with pytest.raises(Unreachable, match="acme"):
        await read(make_client(policy=RetryPolicy(total_s=0.05)))
    server.requests.clear()
    with pytest.raises(OutcomeUnknown):
        await change(make_client(policy=RetryPolicy(total_s=2.0)), "delete")  # time enough to be sent, on any machine
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\nX-Endless: ", reply({"data": []}, headers={"Content-Length": "9999999"})]
)
async def test_a_drip_of_headers_or_body_ends_at_the_total_deadline(
    server: ScriptedServer, make_client: MakeClient, answer: bytes
) -> None:
    """Each byte comes long before any time-out of reading; only the sum of all is too long."""
    server.drip = True
    server.route = lambda _request: answer
    with pytest.raises(Unreachable, match="acme"):
        await read(make_client(policy=RetryPolicy(total_s=0.05)))


async def test_a_cancelled_call_leaves_the_client_usable(server: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client()
    server.hold = asyncio.Event()
    for _ in range(6):  # more than there are slots
        call = asyncio.create_task(read(client))
        await server.arrived.wait()
        server.arrived.clear()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    server.hold = None
    assert await read(client) == {"data": []}


async def test_closing_ends_calls_under_way(server: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client()
    server.hold = asyncio.Event()
    call = asyncio.create_task(read(client))
    await server.arrived.wait()
    await client.aclose()
    with pytest.raises(Unreachable):
        await call


async def test_no_more_than_four_calls_at_once(server: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client()
    server.hold = asyncio.Event()
    calls = [asyncio.create_task(read(client)) for _ in range(9)]
    while len(server.requests) < 4:
        server.arrived.clear()
        await server.arrived.wait()
    later = asyncio.create_task(make_client().get("later", what="app"))  # with slots of its own
    while not server.requests[-1].path.endswith("/later"):
        server.arrived.clear()
        await server.arrived.wait()
    assert len(server.requests) == 4 + 1, "a fifth call, made before, would have come before"
    server.hold.set()
    await asyncio.gather(*calls, later)
    assert len(server.requests) == 9 + 1
