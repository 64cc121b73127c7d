"""Rules that no linter of others has: what is handed to a widget, what is never called."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "tui"
UI = sorted([ROOT / "app.py", *(ROOT / "screens").glob("*.py"), *(ROOT / "widgets").glob("*.py")])
PARSES_MARKUP = {
    "Static",
    "Label",
    "Button",
    "Option",
    "notify",
    "Checkbox",
    "RadioButton",
    "Tab",
    "TabPane",
    "Collapsible",
}
"""What takes a `str` for markup, unless it is told otherwise."""
OUR_WORDS = {("dialogs.py", "self._verb")}
"""Words of our own, handed on in a variable."""


def violations(tree: ast.Module, name: str) -> Iterator[str]:
    """Where something that may be markup is handed to what parses it."""
    returns_content = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.returns is not None and ast.unparse(node.returns) == "Content"
    }

    def is_safe(value: ast.expr) -> bool:
        if isinstance(value, ast.IfExp):
            return is_safe(value.body) and is_safe(value.orelse)
        if isinstance(value, ast.Constant) or (name, ast.unparse(value)) in OUR_WORDS:
            return True
        if isinstance(value, ast.JoinedStr):
            filled = [part.value for part in value.values if isinstance(part, ast.FormattedValue)]
            return all(isinstance(each, ast.Name) and each.id.isupper() for each in filled)  # constants of ours
        called = value.func if isinstance(value, ast.Call) else None
        if isinstance(called, ast.Attribute):
            return called.attr in returns_content
        return isinstance(called, ast.Name) and called.id in {"Content", "Text", *returns_content}

    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            is_plain = any(k.arg == "markup" and ast.unparse(k.value) == "False" for k in node.keywords)
            updates = called == "update" and "Static" in ast.unparse(node.func)
            if (called in PARSES_MARKUP or updates) and not is_plain and node.args and not is_safe(node.args[0]):
                yield f"{name}:{node.lineno}: {ast.unparse(node)}"
            if called == "from_markup" and not isinstance(node.args[0], ast.Constant):
                yield f"{name}:{node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            target = node.targets[0].attr
            if target in {"border_title", "border_subtitle", "tooltip"} and not is_safe(node.value):
                yield f"{name}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", UI, ids=lambda path: path.name)
def test_no_text_is_handed_to_a_widget_as_markup(path: Path) -> None:
    assert list(violations(ast.parse(path.read_text(encoding="utf-8")), path.name)) == []


@pytest.mark.parametrize(
    "code",
    [
        "Static(app.title)", "Button(f'open {x}')", "self.notify(str(error))", "Label(title + 'x', markup=True)",
        "self.query_one('#x', Static).update(text)", "self.border_title = app.title", "Content.from_markup(text)",
        "Static(Content(x) if y else x)",
    ],
)  # fmt: skip
def test_the_rule_finds_what_it_should(code: str) -> None:
    assert list(violations(ast.parse(code), "x.py"))


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("jwt.decode", "digsite signs tokens and never trusts one"),
        ("os.system", "names from a server never meet a shell"),
        ("os.popen", "names from a server never meet a shell"),
        ("subprocess.getoutput", "names from a server never meet a shell"),
        ("asyncio.create_subprocess_shell", "names from a server never meet a shell"),
        ("pickle.loads", "nothing that is read is code"),
        ("yaml.load", "nothing that is read is code"),
        ("eval", "nothing that is read is code"),
    ],
)
def test_what_is_never_called(call: str, why: str) -> None:
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) != call, f"{path}:{node.lineno}: {why}"
                assert not any(k.arg == "shell" for k in node.keywords), f"{path}:{node.lineno}: a shell"
