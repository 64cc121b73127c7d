"""Build logs with the look of the real ones: boxes, colours, and a failure worth finding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tui.demo import seeds
from tui.demo.log_failures import OFF, RED, Failure, LogSubject, failure_lines

_GREEN: Final = "\x1b[32;1m"
_YELLOW: Final = "\x1b[33;1m"
_BLUE: Final = "\x1b[34;1m"
_BOX: Final = "+" + "-" * 78 + "+"

_ANDROID_STEPS: Final = ("activate-ssh-key", "git-clone", "restore-gradle-cache", "android-lint", "gradle-unit-test",
                         "android-build", "sign-apk", "deploy-to-bitrise-io")  # fmt: skip
_IOS_STEPS: Final = ("activate-ssh-key", "git-clone", "restore-spm-cache", "manage-ios-code-signing", "xcode-test",
                     "xcode-archive", "deploy-to-bitrise-io")  # fmt: skip
_FASTLANE_STEPS: Final = ("activate-ssh-key", "git-clone", "yarn", "fastlane", "deploy-to-bitrise-io")

_FAILING_STEP: Final = {
    _ANDROID_STEPS: {
        Failure.TESTS: "gradle-unit-test",
        Failure.COMPILE: "android-build",
        Failure.SIGNING: "android-build",
        Failure.DEPENDENCIES: "android-lint",
        Failure.TIMEOUT: "gradle-unit-test",
        Failure.LOST_RUNNER: "android-build",
    },
    _IOS_STEPS: {
        Failure.TESTS: "xcode-test",
        Failure.COMPILE: "xcode-archive",
        Failure.SIGNING: "xcode-archive",
        Failure.DEPENDENCIES: "xcode-test",
        Failure.TIMEOUT: "xcode-test",
        Failure.LOST_RUNNER: "xcode-archive",
    },
    _FASTLANE_STEPS: dict.fromkeys(Failure, "fastlane"),
}


def bitrise_steps(subject: LogSubject) -> tuple[str, ...]:
    """The steps of a workflow."""
    if subject.is_android:
        return _ANDROID_STEPS
    return _FASTLANE_STEPS if subject.uses_fastlane else _IOS_STEPS


def bitrise_log(subject: LogSubject) -> list[str]:
    """The lines of a whole Bitrise build log; that of an aborted build ends in the middle."""
    lines = [
        f"{_BLUE}  ██████╗ ██╗████████╗██████╗ ██╗███████╗███████╗{OFF}",
        f"Running workflow: {subject.workflow}",
        f"App: {subject.title}  Build: #{subject.number}  Branch: {subject.branch}  Commit: {subject.commit}",
        "",
    ]
    steps = bitrise_steps(subject)
    failing = _FAILING_STEP[steps].get(subject.failure) if subject.failure else None
    if subject.failure is None and subject.abort_reason is not None:
        failing = seeds.pick(steps[1:-1], "aborted in", subject.title, subject.number)
    for index, step in enumerate(steps):
        seconds = seeds.between(2, 95, "step", subject.number, step)
        lines += [_BOX, f"| ({index}) {step:<73} |", _BOX, f"| id: {step:<73}|", _BOX]
        lines += _chatter(subject, step)
        if step == failing:
            lines += failure_lines(subject)
            if subject.abort_reason is None:
                lines += [_BOX, f"| {RED}x{OFF} | {step + ' (exit code: 1)':<60} | {seconds} sec", _BOX, ""]
                lines.append(f"{RED}Bitrise build failed{OFF}")
            return lines
        lines += [_BOX, f"| {_GREEN}✓{OFF} | {step:<60} | {seconds} sec", _BOX, ""]
    lines.append(f"{_GREEN}Bitrise build successful{OFF}")
    return lines


def xcodebuild_log(subject: LogSubject) -> list[str]:
    """The lines of one action's log in an Xcode Cloud log bundle."""
    action = subject.action
    lines = [
        "Command line invocation:",
        f"    /Applications/Xcode.app/Contents/Developer/usr/bin/xcodebuild {action.lower()} "
        f"-workspace /Volumes/workspace/repository/{subject.module}.xcworkspace -scheme {subject.module}",
        "",
        *_chatter(subject, action),
    ]
    if subject.failure is not None:
        words = f"** {action} FAILED **"
        failure = [
            line.replace("/Users/vagrant/git", "/Volumes/workspace/repository") for line in failure_lines(subject)
        ]
        return lines + [words if line == "** ARCHIVE FAILED **" else line for line in failure]
    return [*lines, f"** {action} SUCCEEDED **"]


def repeated(lines: list[str], size: int) -> bytes:
    """The lines over and over, cut to exactly `size` bytes with a line feed at the end."""
    text = "\n".join(lines).encode() + b"\n"
    whole = text * (size // len(text) + 1)
    return whole[: size - 1] + b"\n" if size else b""


def _chatter(subject: LogSubject, step: str) -> Iterator[str]:
    module = subject.module
    for index in range(seeds.between(14, 40, "chatter", subject.number, step)):
        name = seeds.pick(
            ("Login", "Cart", "Profile", "Sync", "Feed", "Search", "Settings", "Checkout"), step, index, module
        )
        if index % 11 == 10:
            yield f"{_YELLOW}warning:{OFF} '{name}Delegate' was deprecated in {module} 4.0"
        elif subject.is_android:
            yield f"> Task :feature:{name.lower()}:compileReleaseKotlin" + (" UP-TO-DATE" if index % 3 else "")
        elif subject.uses_fastlane and step == "fastlane":
            yield f"[09:41:{index:02}]: ▸ Compiling {name}View.swift"
        else:
            yield f"CompileSwift normal arm64 /Volumes/workspace/repository/{module}/{name}/{name}View.swift"
