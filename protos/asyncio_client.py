"""Writes the asyncio client from the synchronous one, so that both have the same methods and only one is kept by hand.

Every module of ``optimizer/client`` that calls the service is read, and written as its twin in
``optimizer/client/aio``. What waits there is awaited here:

- a call of ``self._call``, of what that calls as ``unary``, of ``self._channel.close`` and of ``time.sleep``;
- a loop over a variable named ``stream``, or over a method that yields;
- and with these every method that holds one.

Ctrl-C belongs to whoever runs the event loop, so that what is said and done about it is left out.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

TWINS: Final = Path("optimizer/client/aio")
_NAMES: Final = {
    "OptimizerClient": "AsyncClient",
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
}
_WORDS: Final = {"is read in another thread,": "is read by the event loop,"}
"""What docstrings say of one and is not so of the other."""
_CANCELLED: Final = (
    "A task that is cancelled leaves the plan to the service (:meth:`list_plans` finds it); :meth:`stop` ends it."
)
_HEAD: Final = '"""{title}\n\nGenerated from ``{source}`` by ``protos/generate.py``.\n"""\n'
_FUTURE: Final = "from __future__ import annotations\n"
_IMPORTS: Final = "import asyncio\nfrom collections.abc import AsyncIterator\n"
"""Those that are not used are taken out."""
_TIDY: Final = ("check", "--fix", "--select", "F401,I", "--config", 'lint.isort.known-first-party=["optimizer"]')
_RUFF: Final = str(Path(sys.executable).with_name("ruff"))


def generate(root: Path, out: Path) -> None:
    """Write the twins of the modules below ``root`` below ``out``."""
    (out / TWINS).mkdir(parents=True, exist_ok=True)
    modules = {
        path.stem: path for path in sorted((root / TWINS.parent).glob("*.py")) if "self._call(" in path.read_text()
    }
    for path in modules.values():
        (out / TWINS / path.name).write_text(twin(path.read_text(), str(path.relative_to(root)), set(modules)))


def twin(source: str, name: str, modules: set[str]) -> str:
    """The asyncio twin of a module."""
    tree = ast.parse(source)
    title = (ast.get_docstring(tree) or "").partition("\n")[0]
    tree.body = tree.body[1:]
    for item in tree.body:
        if isinstance(item, ast.ImportFrom) and (item.module or "").removeprefix("optimizer.client.") in modules:
            item.module = (item.module or "").replace("optimizer.client.", "optimizer.client.aio.")
    for kind in [item for item in tree.body if isinstance(item, ast.ClassDef)]:
        _Twin(kind).visit(kind)
    head, _, rest = ast.unparse(tree).partition(_FUTURE)
    text = _HEAD.format(title=title, source=name) + head + _FUTURE + _IMPORTS + rest
    for old, new in _NAMES.items():
        text = re.sub(rf"\b{old}\b", new, text)
    return _ruff("format", text=_ruff(*_TIDY, text=text))


class _Twin(ast.NodeTransformer):
    """Rewrites the methods of a class."""

    def __init__(self, kind: ast.ClassDef) -> None:
        methods = {item.name: item for item in kind.body if isinstance(item, ast.FunctionDef)}
        self._streams = {name for name, method in methods.items() if _own(method, ast.Yield)}
        self._coroutines = {"_call"}
        while True:
            found = {name for name, method in methods.items() if self._waits(method)} - self._streams
            if found <= self._coroutines:
                break
            self._coroutines |= found

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A method; functions within it stay as they are."""
        if node.returns is not None:
            node.returns = ast.parse(
                re.sub(r"\bIterator\b", "AsyncIterator", ast.unparse(node.returns)), mode="eval"
            ).body
        _reword(node)
        waits = self._waits(node)
        node.body = [item if isinstance(item, ast.FunctionDef) else self.visit(item) for item in node.body]
        return ast.AsyncFunctionDef(**vars(node)) if waits else node

    def visit_For(self, node: ast.For) -> ast.AST:
        """A loop over what comes from the service."""
        waits = self._is_stream(node.iter)
        self.generic_visit(node)
        return ast.AsyncFor(**vars(node)) if waits else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A call."""
        waits = self._is_awaited(node)
        self.generic_visit(node)
        if ast.unparse(node.func) == "time.sleep":
            node.func = ast.parse("asyncio.sleep", mode="eval").body
        if ast.unparse(node.func) in ("grpc.insecure_channel", "grpc.secure_channel"):
            node.func = ast.parse(ast.unparse(node.func).replace("grpc.", "grpc.aio."), mode="eval").body
        return ast.Await(node) if waits else node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        """What is tried until Ctrl-C is only done."""
        self.generic_visit(node)
        if [ast.unparse(handler.type) for handler in node.handlers if handler.type] == ["KeyboardInterrupt"]:
            (done,) = node.body
            return done
        return node

    def _waits(self, method: ast.FunctionDef) -> bool:
        return (
            any(
                (isinstance(node, ast.Call) and self._is_awaited(node))
                or (isinstance(node, ast.For) and self._is_stream(node.iter))
                for node in ast.walk(method)
            )
            or method.name == "__enter__"
        )

    def _is_awaited(self, node: ast.Call) -> bool:
        name = ast.unparse(node.func)
        return name.removeprefix("self.") in self._coroutines or name in ("unary", "self._channel.close", "time.sleep")

    def _is_stream(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call):
            return ast.unparse(node.func).removeprefix("self.") in self._streams
        return isinstance(node, ast.Name) and node.id == "stream"


def _own(method: ast.FunctionDef, kind: type[ast.AST]) -> bool:
    """Whether a method holds such a node outside of the functions in it."""
    pending: list[ast.AST] = list(method.body)
    while pending:
        node = pending.pop()
        if isinstance(node, kind):
            return True
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)
    return False


def _reword(method: ast.FunctionDef) -> None:
    """Let the docstring of a method say what is true of its twin."""
    first = method.body[0]
    if not (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    ):
        return
    text = first.value.value
    for old, new in _WORDS.items():
        text = text.replace(old, new)
    paragraphs = text.split("\n\n")
    told = [f"        {_CANCELLED}\n        " if item.strip().startswith("Ctrl-C") else item for item in paragraphs]
    first.value.value = "\n\n".join(told)


def _ruff(*arguments: str, text: str) -> str:
    done = subprocess.run([_RUFF, *arguments, "--quiet", "-"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    return done.stdout
