"""Runs dbt, from an environment of its own, on what was loaded."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import psycopg2
import pytest
from bigquery_server import BigQueryServer
from environments import environment, kept_in
from repository import ROOT

PROJECT = ROOT / "dbt"
PINNED = PROJECT / "constraints.txt"
SCHEMA = "analytics"


def dbt_python(config: pytest.Config) -> Path:
    """The Python of an environment that has dbt."""
    pins = hashlib.sha256(PINNED.read_bytes()).hexdigest()[:12]
    return environment(kept_in(config, "dbt") / pins, ["--require-hashes", "-r", str(PINNED)])


@dataclass(frozen=True)
class Dbt:
    """dbt on one database.

    Attributes:
        python: of the environment that has dbt.
        folder: for its profile and what it writes.
        database: a DuckDB file, the URL of a Postgres server, or the emulator of BigQuery.
        project: the folder of the project.
    """

    python: Path
    folder: Path
    database: str | BigQueryServer
    project: Path = PROJECT

    @property
    def output(self) -> dict[str, Any]:
        """The profile."""
        if isinstance(self.database, BigQueryServer):
            key = json.loads(self.database.credentials)
            known = {"method": "service-account-json", "keyfile_json": key, "project": key["project_id"]}
            return {"type": "bigquery", **known, "dataset": SCHEMA, "location": "US", "threads": 1}
        if not self.database.startswith("postgresql:"):
            return {"type": "duckdb", "path": self.database, "schema": SCHEMA, "threads": 2}
        url = urlsplit(self.database)
        given = {"host": url.hostname, "port": url.port, "user": url.username, "password": url.password}
        return {"type": "postgres", **given, "dbname": url.path[1:], "schema": SCHEMA, "threads": 2}

    def start(self, *command: str, **variables: Any) -> subprocess.Popen[str]:
        """Start a command of dbt."""
        self.folder.mkdir(exist_ok=True)
        profile = {"target": "tests", "outputs": {"tests": self.output}}
        profiles = dict.fromkeys(("zendesk_support", "zendesk_analytics"), profile)
        (self.folder / "profiles.yml").write_text(json.dumps(profiles))
        where = ["--project-dir", str(self.project), "--profiles-dir", str(self.folder)]
        return subprocess.Popen(
            [self.python.with_name("dbt"), "--no-use-colors", *command, *where, "--vars", json.dumps(variables)],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """What has dbt write into the folder, and keep to itself."""
        quiet = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_STATIC_ANALYSIS": "off"}
        places = {"DBT_TARGET_PATH": str(self.folder / "target"), "DBT_LOG_PATH": str(self.folder / "logs")}
        return {**os.environ, **quiet, **places}

    def rows(self, table: str, schema: str | None = None) -> list[dict[str, Any]]:
        """The rows of a table that dbt made."""
        names, found = self._query(f'SELECT * FROM {schema or SCHEMA}."{table}"')
        return [dict(zip(names, map(plain, row))) for row in found]

    def columns(self, schema: str) -> dict[tuple[str, str], str]:
        """The type of each column of a schema, by table and column."""
        sql = "SELECT table_name, column_name, data_type FROM information_schema.columns"
        found = self._query(f"{sql} WHERE table_schema = '{schema}'")[1]
        return {(table, column): data_type.lower() for table, column, data_type in found}

    @cached_property
    def _google(self) -> Any:
        assert isinstance(self.database, BigQueryServer)
        return self.database.client()

    def _query(self, sql: str) -> tuple[Sequence[str], list[Any]]:
        if isinstance(self.database, BigQueryServer):
            result = self._google.query(sql.replace('"', "`")).result()
            return [column.name for column in result.schema], [tuple(row.values()) for row in result]
        if self.database.startswith("postgresql:"):
            connection: Any = psycopg2.connect(self.database)
        else:
            connection = duckdb.connect(self.database, read_only=True)
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [column[0] for column in cursor.description], cursor.fetchall()
        finally:
            connection.close()


def finished(process: subprocess.Popen[str]) -> str:
    """What a process printed that has ended well."""
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


def plain(value: Any) -> Any:
    """A value as Python reckons it."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc) if value.tzinfo else value
    return float(value) if isinstance(value, Decimal) else value


def by_key(rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """Rows by their key, of which there is one each."""
    found = {tuple(row[name] for name in key): row for row in rows}
    assert len(found) == len(rows)
    return found
