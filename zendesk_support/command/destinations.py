"""The destinations of the command line: what each is called, takes and needs.

A destination is an entry of `WAREHOUSES`; dlt does the rest.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.pipeline.pipeline import Pipeline
from urllib3.util import parse_url

from zendesk_support.bigquery import answers, bigquery
from zendesk_support.command.destination_settings import check_connection_string, check_destination
from zendesk_support.dlt_internals import DuckDbCredentials
from zendesk_support.errors import ConfigurationError, DestinationError
from zendesk_support.postgres import postgres
from zendesk_support.warehouse import duckdb_memory
from zendesk_support.warehouse.machine import machine_memory

DATASET = "zendesk_support"
# DuckDB wants about 125 MB a thread: with more of them, or many tables loading at once, it runs out of memory. A second
# thread makes no load faster (docs/performance.md).
DUCKDB_JOBS = 2
# Each of the twenty jobs that dlt runs side by side holds some pages on their way to the server.
POSTGRES_JOBS = 2
SMALL = 1 << 30
"""Bytes of memory below which Postgres gets so few jobs at a time."""
CONNECTION_STRING = re.compile(r"[\w+]+://")
PASSWORD = re.compile(r"://[^@\s]+@")
POSTGRES_EXAMPLE = "postgresql://user:...@host:5432/database"

Options = argparse.Namespace


@dataclass(frozen=True)
class Warehouse:
    """A destination as the command line sees it."""

    title: str
    """What it is, for help and errors."""
    make: Callable[[Options], Any]
    """The dlt destination that the options name."""
    add_options: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    """Adds the options that no other destination has."""
    demo: Mapping[str, Any] = field(default_factory=lambda: {"dataset": "zendesk_demo"})
    """Options of the demo, where they are not given."""
    extra: str = ""
    """The extra of this package that installs `modules`."""
    modules: tuple[str, ...] = ()
    """What must be installed to load."""
    credentials: str = ""
    """How its credentials are set; empty where it has none."""
    answers: Callable[[Any], None] = lambda client: None
    """Fails where an opened dlt client reaches no database."""
    check: Callable[[], None] = lambda: None
    """Fails where what is set of the credentials is not whole."""

    def pipeline(self, options: Options, progress: Any = None) -> Pipeline:
        """A pipeline into the destination; a server among them answers.

        Raises:
            ConfigurationError: an option is wrong.
            DestinationError: a package or the credentials are missing, or no connection comes about.
        """
        missing = [name for name in self.modules if not is_installed(name)]
        if missing:
            raise DestinationError(
                f"To load into {self.title}, install {', '.join(missing)}: pip install -e '.[{self.extra}]'"
            )
        destination = self.make(options)
        check_destination(destination, f"{self.title}'s settings: docs/destinations.md.")
        self.check()
        pipeline = dlt.pipeline(
            options.pipeline_name,
            destination=destination,
            dataset_name=options.dataset or DATASET,
            progress=progress,
        )
        if self.credentials:
            self._connect(pipeline)
        return pipeline

    def _connect(self, pipeline: Pipeline) -> None:
        """Find out now, not after an hour of reading, whether the destination answers."""
        try:
            with pipeline.sql_client() as client:
                self.answers(client)
        except ConfigFieldMissingException as error:
            raise DestinationError(f"No credentials for {self.title} are set. {self.credentials}") from error
        except Exception as error:
            reason = without_secrets(str(error).strip(), pipeline.destination)
            raise DestinationError(f"No connection to {self.title}: {reason}\n{self.credentials}".strip()) from error


def without_secrets(reason: str, destination: Any) -> str:
    """Why a connection did not come about, without what its string holds beside user, host and database."""
    given: Any = dlt.secrets.get(f"destination.{destination.destination_name}.credentials")
    if isinstance(given, str) and CONNECTION_STRING.match(given):
        beyond_user = given.partition("://")[2].partition(":")[2]
        secrets = [part for part in re.split(r"[@/?&=]", beyond_user) if len(part) > 1]
        url = parse_url(given)
        known = {"localhost", str(url.host or ""), str(url.port or ""), (url.path or "").strip("/")}
        for secret in sorted(set(secrets) - known, key=len, reverse=True):
            reason = reason.replace(secret, "...")
    return PASSWORD.sub("://...@", reason)


def is_installed(module: str) -> bool:
    """Whether a module, or one within packages, can be imported."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _duckdb_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database", type=Path, metavar="PATH", help="DuckDB file (zendesk.duckdb)")
    parser.set_defaults(file_of=_file)


def _file(options: Options) -> Path:
    """The DuckDB file that the options name, else dlt's own setting."""
    configured: Any = dlt.secrets.get("destination.duckdb.credentials")
    default = configured.removeprefix("duckdb:///") if isinstance(configured, str) else "zendesk.duckdb"
    return options.database or Path(default)


def is_duckdb(file: Path) -> bool:
    """Whether a file is a DuckDB database, or empty, or cannot be read: then DuckDB says why."""
    try:
        with file.open("rb") as opened:
            head = opened.read(12)
    except OSError:
        return True
    return not head or head[8:] == b"DUCK"


def _duckdb(options: Options) -> Any:
    """A DuckDB file, its memory and threads capped unless the user has set limits."""
    database = _file(options)
    dataset = options.dataset or DATASET
    if database.stem == dataset:
        raise ConfigurationError(
            f"--database {database} and --dataset {dataset} have one name, which DuckDB cannot tell apart. "
            f"Example: --database {database.with_name('zendesk_data.duckdb')}"
        )
    if database.is_dir():
        example = database / "zendesk.duckdb"
        raise ConfigurationError(f"--database {database} is a folder. Example: --database {example}")
    if database.is_file() and not is_duckdb(database):
        raise ConfigurationError(f"--database {database} is no DuckDB file. Example: --database zendesk.duckdb")
    if not database.absolute().parent.is_dir():
        raise ConfigurationError(f"--database {database}: there is no folder {database.parent}. Make it first.")
    credentials = DuckDbCredentials(str(database))
    if dlt.config.get("destination.duckdb.credentials.global_config") is None:
        credentials.global_config = duckdb_memory.first_limits()
    return dlt.destinations.duckdb(credentials, max_parallel_load_jobs=DUCKDB_JOBS)


def _postgres(options: Options) -> Any:
    """Postgres, with few load jobs at a time on a small machine unless the user has set how many."""
    is_own = dlt.config.get("load.workers") is not None
    few: dict[str, Any] = {} if is_own or machine_memory() >= SMALL else {"max_parallel_load_jobs": POSTGRES_JOBS}
    return postgres(**few)


def place(pipeline: Pipeline) -> str:
    """Where the destination is: a file, a server's database, or a project of Google's."""
    config: Any = pipeline.destination_client().config
    project = getattr(config, "project_id", None) or getattr(config.credentials, "project_id", None)
    return f"{project} ({config.data_location()})" if project else str(config.data_location())


WAREHOUSES = {
    "duckdb": Warehouse(
        title="a DuckDB file",
        make=_duckdb,
        add_options=_duckdb_options,
        demo={"database": Path("zendesk_demo.duckdb")},
    ),
    "postgres": Warehouse(
        title="Postgres",
        make=_postgres,
        extra="postgres",
        modules=("psycopg2", "adbc_driver_postgresql"),
        credentials=(
            "Set DESTINATION__POSTGRES__CREDENTIALS, or credentials under [destination.postgres] in "
            f"~/.dlt/secrets.toml, for example {POSTGRES_EXAMPLE}"
        ),
        check=partial(
            check_connection_string,
            "postgres",
            ("postgresql", "postgres"),
            ("username", "password", "host", "database"),
            POSTGRES_EXAMPLE,
        ),
    ),
    "bigquery": Warehouse(
        title="BigQuery",
        make=lambda options: bigquery(),
        extra="bigquery",
        modules=("google.cloud.bigquery",),
        credentials=(
            "Set DESTINATION__BIGQUERY__CREDENTIALS__PROJECT_ID (acme-warehouse), ..._CREDENTIALS__CLIENT_EMAIL and "
            "..._CREDENTIALS__PRIVATE_KEY of a service account, or DESTINATION__BIGQUERY__CREDENTIALS to its key "
            "file's text, or give application default credentials (GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth "
            "application-default login`); and DESTINATION__BIGQUERY__LOCATION, for example EU, if it is not US"
        ),
        answers=answers,
    ),
}
