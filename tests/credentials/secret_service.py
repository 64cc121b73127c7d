"""A Secret Service for a private session bus, which can be locked, silent, or die in the middle of its work.

Run as a program: `python secret_service.py MODE`, with the bus in DBUS_SESSION_BUS_ADDRESS. Prints `ready`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from jeepney import HeaderFields, Message, MessageType, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

ROOT = "/org/freedesktop/secrets"
ITEM = f"{ROOT}/collection/login/"
Answer = tuple[str, tuple[Any, ...]]


class SecretService:
    """Answers as gnome-keyring does, as far as SecretStorage asks.

    Args:
        mode: `ok`, `locked` (its prompt is never answered), `dismissed` (its prompt is), `silent`, or `dying` (ends
            when it is given or asked for a secret).
    """

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._is_locked = mode in {"locked", "dismissed"}
        self._items: dict[str, tuple[dict[str, str], bytes]] = {}

    def answer(self, message: Message) -> Answer | str | None:
        """Signature and body of the reply, the name of an error, or None for silence."""
        fields = message.header.fields
        member, path = fields[HeaderFields.member], fields[HeaderFields.path]
        if self._mode == "silent":
            return None
        handler: Callable[..., Answer | str | None] | None = getattr(self, f"on_{member}", None)
        return "org.freedesktop.DBus.Error.UnknownMethod" if handler is None else handler(path, *message.body)

    def on_Get(self, path: str, _interface: str, name: str) -> Answer | str:  # noqa: N802 - D-Bus's name
        if path.startswith(ITEM) and path not in self._items:
            return "org.freedesktop.DBus.Error.UnknownObject"
        values = {"Label": ("s", "login"), "Locked": ("b", self._is_locked)}
        return "v", (values[name],)

    def on_OpenSession(self, _path: str, algorithm: str, _input: object) -> Answer | str:  # noqa: N802
        if algorithm != "plain":
            return "org.freedesktop.DBus.Error.NotSupported"
        return "vo", (("s", ""), f"{ROOT}/session/1")

    def on_SearchItems(self, _path: str, wanted: dict[str, str]) -> Answer:  # noqa: N802
        found = [path for path, (attributes, _) in self._items.items() if wanted.items() <= attributes.items()]
        return "ao", (found,)

    def on_CreateItem(self, _path: str, properties: Any, secret: Any, replace: bool) -> Answer:  # noqa: N802
        if self._mode == "dying":
            os._exit(1)
        attributes = dict(properties["org.freedesktop.Secret.Item.Attributes"][1])
        same = [path for path, (known, _) in self._items.items() if replace and known == attributes]
        path = same[0] if same else f"{ITEM}{len(self._items) + 1}"
        self._items[path] = (attributes, bytes(secret[2]))
        return "oo", (path, "/")

    def on_GetSecret(self, path: str, session: str) -> Answer:  # noqa: N802
        return "(oayays)", ((session, b"", self._items[path][1], "text/plain"),)

    def on_Unlock(self, _path: str, objects: list[str]) -> Answer:  # noqa: N802
        if self._is_locked:
            return "aoo", ([], f"{ROOT}/prompt/1")
        return "aoo", (objects, "/")

    def on_Delete(self, path: str) -> Answer:  # noqa: N802
        del self._items[path]
        return "o", ("/",)

    def on_Prompt(self, _path: str, _window: str) -> Answer:  # noqa: N802
        return "", ()

    def completes_prompt(self, message: Message) -> bool:
        """Whether somebody closes the prompt that was just shown."""
        return self._mode == "dismissed" and message.header.fields[HeaderFields.member] == "Prompt"


def main(mode: str) -> None:
    """Serves until the bus ends."""
    from jeepney import DBusAddress, new_signal

    service = SecretService(mode)
    with open_dbus_connection("SESSION") as connection:
        connection.send_and_get_reply(message_bus.RequestName("org.freedesktop.secrets"), timeout=10)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            message = connection.receive()
            if message.header.message_type is not MessageType.method_call:
                continue
            answer = service.answer(message)
            if isinstance(answer, str):
                connection.send(new_error(message, answer, "s", ("not here",)))
            elif answer is not None:
                connection.send(new_method_return(message, *answer))
            if service.completes_prompt(message):
                prompt = DBusAddress(f"{ROOT}/prompt/1", interface="org.freedesktop.Secret.Prompt")
                connection.send(new_signal(prompt, "Completed", "bv", (True, ("ao", []))))


if __name__ == "__main__":
    main(sys.argv[1])
