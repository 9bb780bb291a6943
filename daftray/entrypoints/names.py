"""What names mean in a file: imports under their full names, and what the file itself defines."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

_BLOCKS = (ast.If, ast.Try, ast.With)
MOST_STATEMENTS = 20_000


def statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module or class, those within conditions and the like too, in order."""
    waiting = [iter(body)]
    for _ in range(MOST_STATEMENTS):
        found = next(waiting[-1], None)
        if found is None:
            waiting.pop()
            if not waiting:
                return
            continue
        yield found
        if isinstance(found, _BLOCKS):
            inner = list(found.body)
            if isinstance(found, ast.Try):
                inner += [one for handler in found.handlers for one in handler.body]
            if not isinstance(found, ast.With):
                inner += found.orelse
            waiting.append(iter(inner))


class Names:
    """The names of a module. A later definition takes an earlier one's place, as when the module runs."""

    def __init__(self, tree: ast.Module) -> None:
        self.classes: dict[str, ast.ClassDef] = {}
        self.values: dict[str, ast.expr] = {}
        """What is assigned to a name, for aliases of types."""
        self._imported: dict[str, str] = {}
        for one in statements(tree.body):
            self._note(one)

    def full(self, node: ast.expr) -> str | None:
        """Return the full name of ``a.b.c``, imports resolved; nothing for what is no name."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        return ".".join([self._imported.get(node.id, node.id), *reversed(parts)])

    def _note(self, one: ast.stmt) -> None:
        if isinstance(one, ast.ClassDef):
            self.classes[one.name] = one
        elif isinstance(one, ast.Import):
            given = {alias.asname: alias.name for alias in one.names if alias.asname}
            tops = [alias.name.partition(".")[0] for alias in one.names if not alias.asname]
            self._imported |= {name: name for name in tops} | given
        elif isinstance(one, ast.ImportFrom):
            module = "." * one.level + (one.module or "")
            self._imported |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in one.names}
        else:
            self._note_value(one)

    def _note_value(self, one: ast.stmt) -> None:
        if isinstance(one, ast.Assign):
            for target in one.targets:
                if isinstance(target, ast.Name):
                    self.values[target.id] = one.value
        elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value is not None:
            self.values[one.target.id] = one.value
        elif type(one).__name__ == "TypeAlias":  # `type X = …`, since Python 3.12
            name, value = getattr(one, "name", None), getattr(one, "value", None)
            if isinstance(name, ast.Name) and isinstance(value, ast.expr):
                self.values[name.id] = value
