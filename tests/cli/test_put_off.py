"""Modules that are loaded at their first use, in processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PUT_OFF = "import sys; from tui.cli.put_off import put_off; put_off('ssl', 'asyncio.sslproto', 'no_such.module'); "


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PUT_OFF + program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_asyncio_does_not_load_it_and_its_first_use_does() -> None:
    program = (
        "import asyncio, asyncio, ssl; print('_ssl' in sys.modules); "
        "print(ssl.create_default_context().verify_mode.name, asyncio.base_events.ssl is ssl, '_ssl' in sys.modules); "
        "print(asyncio.sslproto.SSLProtocol.__name__)"
    )
    assert run(program).splitlines() == ["False", "CERT_REQUIRED True True", "SSLProtocol"]


def test_one_that_is_taken_from_at_import_is_loaded_then() -> None:
    assert run("from ssl import SSLContext; import ssl; print(ssl.SSLContext is SSLContext)") == "True"


def test_threads_that_want_it_at_once_all_get_it_whole() -> None:
    program = """
import ssl, threading
from concurrent.futures import ThreadPoolExecutor
together = threading.Barrier(8)
def use(_):
    together.wait()
    return ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED
with ThreadPoolExecutor(8) as pool:
    print(all(pool.map(use, range(8))))
"""
    assert run(program) == "True"


@pytest.mark.parametrize("name", ["no_such_name", "__no_such_name__"])
def test_what_it_does_not_have_is_an_error_as_ever(name: str) -> None:
    program = f"""
import ssl
try:
    ssl.{name}
except AttributeError as error:
    print("AttributeError")
"""
    assert run(program) == "AttributeError"
