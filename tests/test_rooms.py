"""The folders of the package: what each is for, and that imports lead one way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from dlt.common.schema import Schema

import zendesk_support
from zendesk_support.bigquery import bigquery
from zendesk_support.postgres import postgres
from zendesk_support.source import _keeping_values

PACKAGE = Path(zendesk_support.__file__).parent
ROOMS = (
    ("version", "errors", "error_messages", "report", "dlt_internals", "simulator"),
    ("settings", "checkpoints", "normalizer"),
    ("records",),
    ("api",),
    ("warehouse",),
    ("postgres", "bigquery"),
    ("reading",),
    ("streams",),
    ("groups",),
    ("reference", "loading"),
    ("source",),
    ("wide",),
    ("running",),
    ("verification",),
    ("command",),
    ("airflow", "cli", "__init__"),
    ("__main__",),
)
"""Every file and folder of the package, from the lowest; each imports from those before its own line only."""
FLOOR = {name: floor for floor, names in enumerate(ROOMS) for name in names}
ALONE = ("dlt_internals", "simulator")
"""These import nothing else of the package."""


def imports(file: Path) -> Iterator[str]:
    """Modules of this package that a file imports, by their dotted path below it; `__init__` for the package."""
    for node in ast.walk(ast.parse(file.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "zendesk_support":
            below = node.module.partition(".")[2]
            inside = [name for name in names if (PACKAGE / below.replace(".", "/") / f"{name}.py").exists()]
            yield from (f"{below}.{name}".strip(".") for name in inside)
            if len(inside) < len(names):
                yield below or "__init__"
        if isinstance(node, ast.Import):
            yield from (name.partition(".")[2] or "__init__" for name in names if name.split(".")[0] == PACKAGE.name)


def files_of(room: str) -> list[Path]:
    """The files of a room."""
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def test_every_file_and_folder_has_its_floor() -> None:
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert there == set(FLOOR)


@pytest.mark.parametrize("room", sorted(FLOOR))
def test_imports_lead_to_lower_floors_only(room: str) -> None:
    found = {(file.name, name) for file in files_of(room) for name in imports(file)}
    elsewhere = {(file, name) for file, name in found if name.split(".")[0] != room}
    upward = {(file, name) for file, name in elsewhere if FLOOR[name.split(".")[0]] >= FLOOR[room]}
    assert upward == set()
    if room in ALONE:
        assert elsewhere == set()


PICTURE = re.compile(r"```mermaid\n(flowchart TD.*?)```", re.DOTALL)
ARROW = re.compile(r"^\s*(\w+)(?:\[.*?\])? --> (\w+)", re.MULTILINE)
DRAWN_ASIDE = {"version", "errors", "error_messages", "report", "settings", "checkpoints", "dlt_internals", "simulator"}
"""What the picture shows without arrows: any room may use it."""


def test_the_picture_of_the_rooms_is_true() -> None:
    """Each import follows the arrows, and the two copies of the picture are one."""
    root = PACKAGE.parent
    [picture], [copy] = (
        PICTURE.findall((root / page).read_text()) for page in ("docs/architecture.md", "CONTRIBUTING.md")
    )
    assert picture == copy
    below: dict[str, set[str]] = {}
    for upper, lower in ARROW.findall(picture):
        below.setdefault(upper, set()).add(lower)
        below.setdefault(lower, set())
    for _ in below:
        below = {room: found.union(*(below[other] for other in found)) for room, found in below.items()}
    for room in below:
        used = {name.split(".")[0] for file in files_of(room) for name in imports(file)}
        assert used & FLOOR.keys() - {room, "postgres", "bigquery", "normalizer", "groups"} <= below[room] | DRAWN_ASIDE


def module_of(file: Path) -> str:
    """A file's dotted path below the package."""
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("room", sorted(name for name in FLOOR if (PACKAGE / name).is_dir()))
def test_a_room_says_in_a_line_what_it_is_for_and_has_no_circle(room: str) -> None:
    doc = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text())) or ""
    assert doc.endswith(".")
    assert "\n" not in doc
    within = {module_of(file): {*imports(file)} for file in files_of(room)}
    while leaves := [name for name, wanted in within.items() if not (wanted - {name}) & within.keys()]:
        for name in leaves:
            del within[name]
    assert within == {}


def test_what_stored_schemas_and_pipelines_name_stays_in_its_place() -> None:
    """A warehouse that was loaded by an earlier version could not be loaded any more."""
    stored = _keeping_values(Schema("any")).to_dict()
    assert stored["normalizers"]["json"]["module"] == "zendesk_support.normalizer"
    assert postgres().destination_type == "zendesk_support.postgres.postgres"
    assert bigquery().destination_type == "zendesk_support.bigquery.bigquery"


LONGEST_FILE, LONGEST_FUNCTION = 400, 50


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=module_of)
def test_files_and_functions_are_short(file: Path) -> None:
    """A function's lines are those after its signature and docstring."""
    text = file.read_text()
    assert len(text.splitlines()) <= LONGEST_FILE
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    bodies = {node.name: node.body[1:] if ast.get_docstring(node) else node.body for node in functions}
    lengths = {name: (body[-1].end_lineno or 0) - body[0].lineno + 1 for name, body in bodies.items() if body}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
