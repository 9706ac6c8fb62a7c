"""An emulator of BigQuery of the tests' own, and the token endpoint of its service account."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.error import URLError
from urllib.request import urlopen

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

DUCKDB = "1.5.5"
PACKAGES = ("bqemulator==1.4.0", "numpy", f"duckdb=={DUCKDB}", f"duckdb-extension-spatial=={DUCKDB}")
PROJECT = "acme-warehouse"
PLATFORM = "import duckdb; print(*duckdb.sql('PRAGMA platform').fetchone())"


class BigQueryServer:
    """An emulator on a free port, whose project one service account may use."""

    def __init__(self, python: Path) -> None:
        """Start it.

        Args:
            python: of the environment that has `PACKAGES`.
        """
        self._home = Path(tempfile.mkdtemp(prefix="zendesk-bigquery-"))
        self._provide_extension(python)
        self._tokens = ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
        threading.Thread(target=self._tokens.serve_forever, daemon=True).start()
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.credentials = json.dumps(
            {
                "type": "service_account",
                "project_id": PROJECT,
                "client_email": f"loader@{PROJECT}.iam.gserviceaccount.com",
                "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
                "token_uri": f"http://127.0.0.1:{self._tokens.server_address[1]}/token",
            }
        )
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._log = (self._home / "log").open("wb")
        port = self.url.rpartition(":")[2]
        command = [
            python,
            Path(__file__).with_name("bigquery_emulator.py"),
            "start",
            "--rest-port",
            port,
            "--grpc-port",
            "0",
        ]
        self._server = subprocess.Popen(
            [*command, "--project", PROJECT, "--log-level", "warning"],
            cwd=self._home,
            env={**os.environ, "HOME": str(self._home)},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 60
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._home / "log").read_text())
            time.sleep(0.05)

    @property
    def settings(self) -> Mapping[str, str]:
        """What leads Google's client to the emulator, and what it needs of dlt: it reads no compressed files."""
        return {
            "BIGQUERY_EMULATOR_HOST": self.url,
            "DATA_WRITER__DISABLE_COMPRESSION": "true",
            "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
        }

    def _provide_extension(self, python: Path) -> None:
        """Put DuckDB's extension, which the emulator would fetch, into its home."""
        asked = subprocess.run([python, "-c", PLATFORM], capture_output=True, text=True, check=True)
        folder = self._home / ".duckdb" / "extensions" / f"v{DUCKDB}" / asked.stdout.strip()
        folder.mkdir(parents=True)
        (extension,) = python.parent.parent.rglob("spatial.duckdb_extension")
        shutil.copy(extension, folder)

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/healthz"):
                return True
        except URLError:
            return False

    @contextmanager
    def halted(self) -> Iterator[None]:
        """It answers nobody."""
        self._server.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._server.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End the emulator and remove what it stored."""
        self._server.kill()
        self._server.wait()
        self._tokens.shutdown()
        self._tokens.server_close()
        self._log.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def client(self) -> Any:
        """Google's own client."""
        from google.cloud import bigquery
        from google.oauth2.service_account import Credentials

        credentials = Credentials.from_service_account_info(json.loads(self.credentials))
        with patch.dict(os.environ, self.settings):
            return bigquery.Client(PROJECT, credentials)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return [tuple(row.values()) for row in self.client().query(sql).result()]


class Tokens(BaseHTTPRequestHandler):
    """Gives a token to whoever asks."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"access_token": "of-the-tests", "expires_in": 3600, "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""
