"""Who may import whom: read from the source with `ast`, nothing is imported.

A tree is a folder with `core/paxect_core` and `paxect_batch`, which may lack any part:
the rules hold for what is there. `breaches` returns one line for each rule broken.
"""

import ast
import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

# What each part of paxect_batch may import of it, besides itself.
ALLOWED = {
    "model": set(),
    "seams": {"model"},
    "rules": {"model"},
    "report": {"model"},
    "work": {"model", "rules", "report", "seams"},
    "relay": {"model", "rules", "report", "seams", "work"},
    "world": {"model", "seams"},
    "serve": {"model", "report", "seams"},
    "cli": {"model", "rules", "report", "seams", "work", "relay", "world", "serve"},
    "__main__": {"cli"},
    "__init__": set(),
}
PURE = {"rules", "report"}
IMPURE_MODULES = {
    *("asyncio", "fcntl", "glob", "io", "multiprocessing", "os", "pathlib", "random"),
    *("secrets", "select", "shutil", "signal", "socket", "subprocess", "tempfile"),
    *("threading", "time", "uuid"),
}
IMPURE_CALLS = {"open", "input", "print", "exec", "eval", "__import__"}
EVERYWHERE = {"msgspec"}
ENVIRONMENT_READERS = {
    "paxect_batch.cli.colours",
    "paxect_batch.cli.settings",
    "paxect_batch.world.keys",
    "paxect_core.cli",
    "paxect_core.memory",
}
# It hands the environment on to its workers whole, `**os.environ`, and looks at none.
ENVIRONMENT_CARRIERS = {"paxect_batch.world.pool"}
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}


class Import(NamedTuple):
    """One import of one module, as far as it can be told without importing."""

    target: str
    line: int
    typing_only: bool


class Module(NamedTuple):
    """One source file."""

    name: str
    path: str
    tree: ast.Module
    imports: list[Import]

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @property
    def part(self) -> str:
        """The first level below the package: what the rules speak of."""
        rest = self.name.split(".")[1:]
        return rest[0] if rest else "__init__"


def read(root: str) -> dict[str, Module]:
    """Return the modules of both packages under that root by their names."""
    paths = {}
    for base, package in (("core", "paxect_core"), ("", "paxect_batch")):
        top = os.path.join(root, base, package)
        for folder, _, names in os.walk(top):
            for name in sorted(names):
                if name.endswith(".py"):
                    path = os.path.join(folder, name)
                    words = os.path.relpath(path[:-3], os.path.dirname(top))
                    dotted = words.replace(os.sep, ".").removesuffix(".__init__")
                    paths[dotted] = path
    modules = {}
    for name, path in paths.items():
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read(), path)
        is_package = path.endswith("__init__.py")
        imports = list(_imports(tree, name, set(paths), is_package=is_package))
        modules[name] = Module(name, path, tree, imports)
    return modules


def _imports(
    tree: ast.Module, name: str, known: set[str], *, is_package: bool
) -> Iterator[Import]:
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        typing_only = id(node) in guarded
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, typing_only)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = name.split(".")
                kept = len(parents) - node.level + is_package
                base = ".".join(parents[:kept] + ([base] if base else []))
            for alias in node.names:
                # `from package import module` means the module.
                deeper = f"{base}.{alias.name}"
                target = deeper if deeper in known else base
                yield Import(target, node.lineno, typing_only)


def breaches(root: str) -> list[str]:
    """Return what breaks the rules in that tree, one line each."""
    modules = read(root)
    found = [
        f"{module.path}:{line}: {text}"
        for module in modules.values()
        for line, text in (
            *_directions(module),
            *_impurities(module),
            *_environment(module),
        )
    ]
    return sorted({*found, *_homes(modules), *_cycles(modules)})


def _directions(module: Module) -> Iterator[tuple[int, str]]:
    for target, line, _ in module.imports:
        words = target.split(".")
        if words[0] != "paxect_batch":
            continue
        part = words[1] if len(words) > 1 else "__init__"
        if module.package == "paxect_core":
            yield line, f"paxect_core imports {target}"
        elif module.part not in ALLOWED:
            yield line, f"{module.part} is no part that design.md knows"
        elif part not in {module.part, "__init__"} | ALLOWED[module.part]:
            yield line, f"{module.part} imports {target}"


def _impurities(module: Module) -> Iterator[tuple[int, str]]:
    if module.package != "paxect_batch" or module.part not in PURE:
        return
    for target, line, typing_only in module.imports:
        if target.partition(".")[0] in IMPURE_MODULES and not typing_only:
            yield line, f"{module.part} is pure and imports {target}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in IMPURE_CALLS or called.endswith((".now", ".utcnow", ".today")):
                yield node.lineno, f"{module.part} is pure and calls {called}"


def _environment(module: Module) -> Iterator[tuple[int, str]]:
    if module.name in ENVIRONMENT_READERS:
        return
    carried = {
        id(value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Dict) and module.name in ENVIRONMENT_CARRIERS
        for key, value in zip(node.keys, node.values, strict=True)
        if key is None
    }
    for node in ast.walk(module.tree):
        named = (
            isinstance(node, ast.Attribute)
            and node.attr in ENVIRONMENT
            and isinstance(node.value, ast.Name)
            and node.value.id == "os"
        )
        imported = (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and any(alias.name in ENVIRONMENT for alias in node.names)
        )
        if (named and id(node) not in carried) or imported:
            yield node.lineno, "reads the environment"


def _homes(modules: dict[str, Module]) -> Iterator[str]:
    ours = {"paxect_core", "paxect_batch"}
    homes: dict[str, set[str]] = {}
    for module in modules.values():
        for target, _, _ in module.imports:
            library = target.partition(".")[0]
            if library not in ours | EVERYWHERE | sys.stdlib_module_names:
                homes.setdefault(library, set()).add(module.path)
    for library, paths in homes.items():
        if len(paths) > 1:
            yield f"{library} has several homes: {', '.join(sorted(paths))}"


def _cycles(modules: dict[str, Module]) -> Iterator[str]:
    """Give one line for each cycle of imports that take place when the code runs."""
    graph = {
        name: sorted({i.target for i in module.imports if not i.typing_only})
        for name, module in modules.items()
    }
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> Iterator[str]:
        if name in way:
            yield "cycle: " + " -> ".join([*way[way.index(name) :], name])
        elif name in graph and name not in done:
            for target in graph[name]:
                yield from visit(target, [*way, name])
            done.add(name)

    for name in sorted(graph):
        yield from visit(name, [])
