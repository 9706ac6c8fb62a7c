"""What docs/destinations.md reckons of warehouses that do not run here is what dlt says of itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dlt
import pytest
from repository import ROOT
from support import source

from zendesk_support.loading.target import TAKE_ROWS
from zendesk_support.simulator import Simulator

PAGE = (ROOT / "docs" / "destinations.md").read_text()
FILES = {"parquet": "parquet", "rows, jsonl": "jsonl", "rows": "insert_values"}
"""The kind of file that dlt makes, by how the table names it."""
TYPES = {
    "motherduck": ("JSON", "TIMESTAMP WITH TIME ZONE"),
    "snowflake": ("VARIANT", "TIMESTAMP_LTZ"),
    "redshift": ("super", "timestamp with time zone"),
    "databricks": ("STRING", "TIMESTAMP"),
    "clickhouse": ("String", "DateTime64(6,'UTC')"),
    "mssql": ("json", "datetimeoffset"),
    "synapse": ("nvarchar(max)", "datetimeoffset"),
    "fabric": ("varchar(max)", "datetime2(6)"),
}
"""Of nested values and times."""

WITH_CLIENT = ("motherduck", "redshift")
"""Their client is installed here, so that dlt makes files for them."""


def told(name: str) -> list[str]:
    """The cells of a destination's row, after its name."""
    [row] = [line for line in PAGE.splitlines() if re.match(rf"\| [^|]*`{name}`", line)]
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


@pytest.mark.parametrize("name", TYPES)
def test_dlt_makes_for_a_destination_what_the_table_says(tmp_path: Path, account: Simulator, name: str) -> None:
    loaded_as, changed, nested, times, *_ = told(name)
    destination: Any = getattr(dlt.destinations, name)()
    capabilities = destination.capabilities()
    mapper = capabilities.get_type_mapper()
    table: Any = {"name": "", "columns": {}}
    types = [mapper.to_destination_type({"name": "", "data_type": kind}, table) for kind in ("json", "timestamp")]
    assert tuple(types) == TYPES[name]
    assert nested.strip("`").lower() == types[0].lower() or nested == "`json`, or text"
    assert times.strip("`").lower() == types[1].lower() or times in ("with time zone", "`datetimeoffset`; Fabric UTC")
    assert "delete-insert" in capabilities.supported_merge_strategies
    assert changed in ("merged, deleted", "as DuckDB")
    kind = next(kind for words, kind in FILES.items() if loaded_as.startswith(words))
    assert kind == (capabilities.preferred_loader_file_format if name in TAKE_ROWS else "parquet")
    assert kind in capabilities.supported_loader_file_formats
    if name in WITH_CLIENT:
        target = dlt.pipeline(name, destination=destination, dataset_name="zd")
        target.extract(source(account).with_resources("macros"))
        target.normalize()
        [file] = Path(target.working_dir).glob("load/normalized/*/new_jobs/macros.*")
        assert f".{kind}" in file.name
