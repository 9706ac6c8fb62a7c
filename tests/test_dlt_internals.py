"""dlt's own names, beyond its documentation, that this library leans on: in one place, and still there."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import dlt
import pytest
from repository import ROOT
from support import load, pipeline

from zendesk_support.dlt_internals import dlt_iter_arrow
from zendesk_support.simulator import Simulator

PACKAGE = ROOT / "zendesk_support"
HOUSE = PACKAGE / "dlt_internals"
DOCUMENTED = {
    "dlt",
    "dlt.common",
    "dlt.common.configuration",
    "dlt.common.configuration.exceptions",
    "dlt.common.configuration.specs",
    "dlt.common.schema",
    "dlt.common.typing",
    "dlt.destinations",
    "dlt.extract",
    "dlt.pipeline.exceptions",
    "dlt.pipeline.pipeline",
}


def imports(file: Path) -> list[tuple[str, str, int]]:
    """Module, name and line of everything that a file imports from dlt."""
    nodes = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom))
    of_dlt = (node for node in nodes if node.module and node.module.split(".")[0] == "dlt")
    return [(str(node.module), alias.name, node.lineno) for node in of_dlt for alias in node.names]


INTERNALS = [(file, module, name, line) for file in sorted(HOUSE.glob("*.py")) for module, name, line in imports(file)]


def test_only_one_place_reaches_beyond_what_dlt_documents() -> None:
    files = [file for file in PACKAGE.rglob("*.py") if file.parent != HOUSE]
    beyond = [(file.name, module, name) for file in files for module, name, _ in imports(file)]
    assert [found for found in beyond if found[1] not in DOCUMENTED] == []


def reason(file: Path, line: int) -> str:
    """The comment above an import."""
    above = file.read_text().splitlines()[: line - 1]
    while above and above[-1].startswith("from dlt"):
        above.pop()
    return above[-1].removeprefix("# ") if above and above[-1].startswith("# ") else ""


@pytest.mark.parametrize(("file", "module", "name", "line"), INTERNALS, ids=[found[2] for found in INTERNALS])
def test_dlt_still_has_what_is_used_of_it(file: Path, module: str, name: str, line: int) -> None:
    why = reason(file, line)
    assert why.endswith("."), f"{name} has no reason above its import in {file.name}"
    told = f"dlt {dlt.__version__} has no {module}.{name} any more. It was there for this: {why}"
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError:
        pytest.fail(told)
    assert hasattr(found, name), told


def test_the_private_attributes_are_still_there(tmp_path: Path) -> None:
    from zendesk_support.dlt_internals import last_extracted_hash, steps_of, waiting_packages

    pipeline = dlt.pipeline("internals", destination="duckdb", pipelines_dir=str(tmp_path))
    told = f"dlt {dlt.__version__} keeps this elsewhere than {{}}; see zendesk_support/dlt_internals"
    assert [list(packages) for _, packages in waiting_packages(pipeline)] == [[], []], told.format("its storages")
    pipeline.extract([{"id": 1}], table_name="rows")
    assert last_extracted_hash(pipeline.state), told.format("state['_local']")
    assert steps_of(dlt.resource([1], name="one")), told.format("resource._pipe.steps")


EXTRAS = ("adbc_driver_postgresql", "google.cloud.bigquery", "matplotlib", "pandas", "psycopg2", "sqlalchemy")


def test_a_plain_install_has_all_that_the_command_imports() -> None:
    without = f"import sys; sys.modules.update(dict.fromkeys({EXTRAS!r}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{without}; import zendesk_support.cli, zendesk_support.command.demo"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_arrow_tables_of_a_dataset_are_still_to_be_repaired() -> None:
    """`.arrow()` works on DuckDB of any version; where dlt itself can do it, the repair in `dlt_internals` can go."""
    told = "dlt reads Arrow tables from DuckDB 2 itself: remove `iter_arrow` from dlt_internals, and this test"
    assert "fetch_arrow_table()" in inspect.getsource(dlt_iter_arrow), told


def test_a_dataset_gives_arrow_tables(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "groups")
    groups = target.dataset().groups
    assert sorted(groups.arrow()["id"].to_pylist()) == sorted(row["id"] for row in account.truth("groups"))
    assert sum(len(chunk) for chunk in groups.iter_arrow(2)) == len(groups.arrow())
