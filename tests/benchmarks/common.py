"""What the benchmarks share: programs, lines of output, nginx on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CONFIG = """{user}
daemon off; worker_processes 2; pid {root}/nginx.pid; error_log stderr notice;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
  uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
  {servers}
}}
"""


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tool(name: str) -> str:
    """Where a program is."""
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed")
    return found


@contextmanager
def nginx(root: Path, servers: str) -> Iterator[None]:
    """Runs with these `server` blocks; its own files are in `root`. It listens when the block is entered."""
    config = root / "nginx.conf"
    user = "user root;" if os.getuid() == 0 else ""  # else its workers may not read the folder
    config.write_text(_CONFIG.format(user=user, root=root, servers=servers))
    with subprocess.Popen(
        [tool("nginx"), "-c", str(config), "-p", str(root)], stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        try:
            told = []
            for line in server.stderr:
                told.append(line)
                if "start worker process" in line:  # which comes after it listens
                    break
            else:
                raise SystemExit(f"nginx does not start: {''.join(told)}")
            yield
        finally:
            server.terminate()
