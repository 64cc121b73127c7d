"""Who commits what: the pools of names and messages that builds draw from."""

from __future__ import annotations

from typing import Final

AUTHORS: Final = (
    "Aiko Tanaka", "Ben Okafor", "Carla Méndez", "Dmitri Petrov", "Elif Yılmaz", "Fatima Zahra", "Grace Kim",
    "Henrik Lund",
)  # fmt: skip

MESSAGES: Final = (
    "Show the delivery date in the cart",
    "Fix crash when the session expires during checkout",
    "Bump Kotlin to 2.3.0",
    "Cache avatars on disk",
    "Add dark icons for the tab bar",
    "Retry uploads when the connection comes back",
    "Update translations from Crowdin",
    "Use the new paging API in search",
    "Remove the old onboarding",
    "Prefetch images in the feed",
    "Make the login form work with password managers",
    "Release notes for 4.2.0",
    "Sort favourites by date",
    "Move analytics behind a consent switch",
    "Rotate the signing key of the debug build",
    "Fix flaky CartViewModelTest",
    "Support foldable screens",
    "Let VoiceOver read prices correctly",
    "Upgrade Gradle to 9.2",
    "Add a widget for open orders",
    "Speed up cold start by 180 ms",
    "Log sync conflicts",
    "Redesign the profile page\n\nFollows the new spacing tokens; see the design file.",
    "Fix right-to-left layout of the rating bar",
    "Merge pull request #841 from feature/login",
    "Drop support for Android 7",
    "Add StoreKit 2 receipts",
    "Show offline banner only once",
    "Reduce APK size: strip unused densities",
    "Translate push notifications",
    "Handle 429 from the search backend",
    "Revert \"Use the new paging API in search\"",
)  # fmt: skip
