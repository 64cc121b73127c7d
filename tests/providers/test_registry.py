from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.errors import ConfigError, NotFound, PluginError
from tui.models import Account, AccountName
from tui.providers import plugin, plugin_names
from tui.secret import Secret

SOURCE = """
from collections.abc import Sequence

class Broken:
    name, title, badge, default_url, secret_label = "{name}", "Foreign", "FX", "https://x.example", "Token"
    fields: Sequence[object] = ()

    def check_secret(self, secret, options):
        raise KeyError(secret.reveal())

    def environment(self, environ):
        return None

    def open(self, account, secret):
        return Provider(account)

class Provider:
    budget = None

    def __init__(self, account):
        self.account = account

    async def apps(self, cursor=None):
        raise ZeroDivisionError("canary")

    async def app(self, ref):
        from tui.errors import NotFound
        raise NotFound("gone")

    async def git_refs(self, app, workflow):
        yield "main"
        raise ZeroDivisionError("canary")

instance = Broken()
nothing = 3
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package with an entry point on the path, as pip would."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str, target: str, module: str = "foreign_provider", package: str = "foreign") -> None:
        (tmp_path / f"{module}.py").write_text(SOURCE.replace("{name}", name))
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[digsite.providers]\n{name} = {module}:{target}\n")
        monkeypatch.delitem(sys.modules, module, raising=False)
        importlib.invalidate_caches()

    return make


def test_the_built_in_ones_are_there() -> None:
    assert plugin_names()[:2] == ("bitrise", "xcode-cloud")
    assert [plugin(name).title for name in ("bitrise", "xcode-cloud")] == ["Bitrise", "Xcode Cloud"]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"jenkins.*bitrise, xcode-cloud"):
        plugin("jenkins")


@pytest.mark.parametrize("target", ["Broken", "instance"])
async def test_what_a_plug_in_raises_becomes_ours_without_its_text(target: str, install: Install) -> None:
    install("foreign", target)
    assert "foreign" in plugin_names()
    assert "foreign_provider" not in sys.modules  # listing does not load
    found = plugin("foreign")
    assert (found.name, found.title) == ("foreign", "Foreign")
    with pytest.raises(PluginError, match="KeyError") as caught:
        found.check_secret(Secret("canary"), {})
    assert "canary" not in str(caught.value)
    provider = found.open(Account(AccountName("f"), "foreign"), Secret("x"))
    with pytest.raises(PluginError, match=r"foreign.*ZeroDivisionError") as caught:
        await provider.apps()
    assert "canary" not in str(caught.value)
    with pytest.raises(NotFound, match="gone"):
        await provider.app(None)  # type: ignore[arg-type]
    refs = provider.git_refs(None, None)  # type: ignore[arg-type]
    assert await anext(refs) == "main"  # type: ignore[comparison-overlap]
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        await anext(refs)


@pytest.mark.parametrize("target", ["Missing", "nothing", "Provider"])
def test_a_broken_plug_in_is_an_error_of_its_own(target: str, install: Install) -> None:
    install("foreign", target)
    with pytest.raises(PluginError, match="foreign"):
        plugin("foreign")


def test_a_built_in_name_cannot_be_taken(install: Install) -> None:
    install("bitrise", "Broken")
    assert plugin_names().count("bitrise") == 1
    assert plugin("bitrise").title == "Bitrise"


def test_one_name_of_two_packages_is_refused(install: Install) -> None:
    install("foreign", "Broken")
    install("foreign", "Broken", module="other_provider", package="other")
    with pytest.raises(PluginError, match="Several packages"):
        plugin("foreign")


def test_opening_an_account_imports_nothing_slow() -> None:
    script = (
        "import sys\n"
        "from tui.models import Account\n"
        "from tui.providers import plugin, plugin_names\n"
        "from tui.secret import Secret\n"
        "import tui.http\n"
        "plugin_names()\n"
        "plugin('bitrise').open(Account('a', 'bitrise'), Secret('t'))\n"
        "pem = '-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----'\n"
        "plugin('xcode-cloud').open(Account('b', 'xcode-cloud', options={'key_id': 'K'}), Secret(pem))\n"
        "slow = {'httpx', 'jwt', 'cryptography', 'keyring', 'textual'} & set(sys.modules)\n"
        "sys.exit(f'imported: {slow}' if slow else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
