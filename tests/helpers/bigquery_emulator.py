"""Starts the emulator, mended where it differs from BigQuery in what dlt asks; runs in the emulator's environment.

- A parquet file's columns are loaded by name, not by place.
- `ALTER TABLE` may add several columns, which the table's metadata and INFORMATION_SCHEMA then have.
- Tables are looked for in the query's default dataset; a query that fails is refused.
- Partitions by month and clusters are kept in the table's metadata.
"""

from __future__ import annotations

import re
from functools import wraps
from typing import Any

import sqlglot
from bqemulator.api.routes import jobs
from bqemulator.catalog.ddl_sync import _introspect_schema
from bqemulator.catalog.models import Clustering, TimePartitioning
from bqemulator.cli import main
from bqemulator.jobs import executor
from fastapi.responses import JSONResponse
from sqlglot import exp

TABLE = r" TABLE (?:IF NOT EXISTS )?`([\w-]+)`\.`(\w+)`\.`(\w+)`"
MADE = re.compile(
    rf"CREATE{TABLE}(?:(?!CREATE TABLE).)*?PARTITION BY TIMESTAMP_TRUNC\(`(\w+)`, MONTH\)\nCLUSTER BY ([`\w, ]+)",
    re.DOTALL,
)
ALTERED = re.compile(rf"ALTER{TABLE}")
ADDING = re.compile(r"(ALTER TABLE \S+\n)(ADD COLUMN .+?)(?=;\nALTER|\Z)", re.DOTALL)

CODES = {"accessDenied": 403, "notFound": 404, "duplicate": 409}

run = jobs.execute_query_job


def one_by_one(found: re.Match[str]) -> str:
    """A statement for each column that is added."""
    return found[1] + found[2].replace(",\nADD COLUMN", f";\n{found[1]}ADD COLUMN")


async def run_mended(project_id: str, job_id: str, bq_sql: str, query_params: Any, ctx: Any, **options: Any) -> Any:
    """Run a query job."""
    done = await run(project_id, job_id, ADDING.sub(one_by_one, bq_sql), query_params, ctx, **options)
    for name in ALTERED.findall(bq_sql):
        change(ctx, name, schema_=_introspect_schema(*name, ctx))
    for *name, month, cluster in MADE.findall(bq_sql):
        change(
            ctx,
            name,
            time_partitioning=TimePartitioning(type="MONTH", field=month),
            clustering=Clustering(fields=tuple(re.findall(r"\w+", cluster))),
        )
    return done


@wraps(jobs.query)
async def answer(**given: Any) -> Any:
    """Answer a query; one that fails with an error of HTTP."""
    asked = await given["request"].json()
    if dataset := asked.get("defaultDataset"):
        asked["query"] = qualified(asked["query"], dataset)
    body = await jobs.query(**given)
    if not (errors := body.get("errors")):
        return body
    code = CODES.get(errors[0]["reason"], 400)
    return JSONResponse({"error": {"code": code, "message": errors[0]["message"], "errors": errors}}, code)


def qualified(query: str, dataset: dict[str, str]) -> str:
    """A query whose tables have their dataset's name."""
    if not query.lstrip().startswith(("SELECT", "DELETE", "UPDATE")):
        return query
    tree = sqlglot.parse_one(query, read="bigquery")
    bare = [table for table in tree.find_all(exp.Table) if not table.db and isinstance(table.this, exp.Identifier)]
    for table in bare:
        table.set("db", exp.to_identifier(dataset["datasetId"]))
        table.set("catalog", exp.to_identifier(dataset["projectId"], quoted=True))
    return tree.sql("bigquery") if bare else query


def change(ctx: Any, name: Any, **values: Any) -> None:
    """Change the metadata of a table."""
    ctx.catalog.update_table(ctx.catalog.get_table(*name).model_copy(update=values))


def load_by_name(path: str, target: str, ctx: Any) -> None:
    """Load a parquet file."""
    ctx.engine.execute(f"INSERT INTO {target} BY NAME SELECT * FROM read_parquet(?)", [path])


jobs.execute_query_job = run_mended
(asked,) = (route for route in jobs.router.routes if route.endpoint is jobs.query)
asked.endpoint = answer
executor._LOAD_FORMAT_HANDLERS["PARQUET"] = load_by_name
main()
