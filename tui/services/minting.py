"""Long-lived tokens of Xcode Cloud: what they open, and the account that they may become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tui.errors import CredentialError, NotSupported
from tui.models import App, Build
from tui.paths import DigPath
from tui.providers.xcode_cloud.provider import XcodeCloudProvider
from tui.providers.xcode_cloud.token import JwtAuthorization
from tui.secret import Secret
from tui.services.resolve import Found, all_apps
from tui.services.root import Services
from tui.services.session import Session


@dataclass(frozen=True, slots=True)
class Minted:
    """A token and what it opens."""

    token: Secret
    session: Session
    """Of the account whose key signed it."""
    scope: tuple[str, ...]
    apps: tuple[App, ...]
    """Whose builds it lists."""
    builds: tuple[Build, ...]
    """Whose artifacts it lists and downloads."""


async def mint_token(services: Services, paths: Sequence[DigPath], lifetime: timedelta) -> Minted:
    """Mints a token for the list of apps, and for what each path names: all apps of an account, an app, a build.

    Raises:
        NotSupported: An account is not of Xcode Cloud.
        CredentialError: The paths are of several accounts, the account has no key, or Apple would refuse the token.
        DigsiteError: A path names nothing, or the provider cannot be asked.
    """
    found = [await services.resolver.find(path) for path in paths]
    if len({each.session.account.name for each in found}) != 1:
        raise CredentialError("A token is signed by the key of one account; the paths are of several.")
    session, provider = found[0].session, found[0].provider
    if not isinstance(provider, XcodeCloudProvider):
        raise NotSupported(
            f"{session.account.name} is not an account of Xcode Cloud.",
            hint="Bitrise has read-only roles instead: give a workspace token the role of a tester.",
        )
    key = provider.authorization
    if not isinstance(key, JwtAuthorization):
        raise CredentialError(
            f"The secret of {session.account.name} is itself a token; only the key can sign another.",
            hint="Use an account that has the key.",
        )
    apps, builds = await _named(found)
    entries = [*await provider.scope()]
    for app in apps:
        entries += await provider.scope(app)
    for build in builds:
        entries += await provider.scope(build=build)
    scope = tuple(dict.fromkeys(entries))
    token = await key.mint_long_lived(scope, lifetime, provider.clock_offset_s or 0.0)
    return Minted(token, session, scope, apps, builds)


async def _named(found: Sequence[Found]) -> tuple[tuple[App, ...], tuple[Build, ...]]:
    apps: dict[str, App] = {}
    builds: dict[str, Build] = {}
    for each in found:
        listed = [each.app] if each.app is not None else [app async for app in all_apps(each.provider)]
        apps.update((app.ref.app, app) for app in listed)
        if each.build is not None:
            builds[each.build.ref.build] = each.build
    return tuple(apps.values()), tuple(builds.values())
