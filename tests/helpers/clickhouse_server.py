"""ClickHouse's engine behind its two protocols, for a program that has `chdb` and `clickhouse_driver`: PORT HTTP_PORT.

`chdb` is ClickHouse as a library. This serves it as the server does, as far as dlt's two clients ask: the native
protocol of revision 54429, for statements, and HTTP, for files.
"""

from __future__ import annotations

import gzip
import socketserver
import struct
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO
from urllib.parse import parse_qs, urlsplit

from chdb.session import Session
from clickhouse_driver.bufferedreader import BufferedReader
from clickhouse_driver.context import Context
from clickhouse_driver.streams.native import BlockInputStream

REVISION = 54429
HELLO, DATA, EXCEPTION, PONG, END = 0, 1, 2, 4, 5
QUERY, CANCEL, PING = 1, 3, 4
INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
"""What stands before each block."""
SESSION = Session()
ONE = threading.Lock()


def run(statement: str, output: str = "Native") -> bytes:
    """What the engine answers; one statement at a time."""
    with ONE:
        return bytes(SESSION.query(statement, output).bytes())


class Whole(BufferedReader):
    """A reader of bytes that are all there."""

    def __init__(self, data: bytes) -> None:
        super().__init__(len(data))
        self.buffer = bytearray(data)
        self.current_buffer_size = len(data)


def blocks(data: bytes) -> list[bytes]:
    """The blocks of an answer, first one without rows that names the columns."""
    context = Context()
    context.client_settings = {"use_numpy": False, "strings_as_bytes": True, "strings_encoding": "utf8"}
    context.server_info = type("Info", (), {"used_revision": 0, "get_timezone": lambda self: "UTC"})()
    found: list[bytes] = []
    reader = Whole(data)
    stream = BlockInputStream(reader, context)
    while reader.position < len(data):
        began = reader.position
        block = stream.read()
        found = found or [header(block.columns_with_types)]
        found.append(data[began : reader.position])
    return found


def varint(number: int) -> bytes:
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes(made) + bytes([number])


def text(value: str) -> bytes:
    return varint(len(value.encode())) + value.encode()


class Native(socketserver.StreamRequestHandler):
    """One connection of the native protocol."""

    def handle(self) -> None:
        while (kind := self.rfile.read(1)) and kind[0] != CANCEL:
            if kind[0] == HELLO:
                self._hello()
            elif kind[0] == PING:
                self.wfile.write(varint(PONG))
            elif kind[0] == QUERY:
                statement = self._statement()
                try:
                    self._answer(statement)
                except RuntimeError as error:
                    self._refuse(str(error))

    def _number(self) -> int:
        found, shift = 0, 0
        while True:
            byte = self.rfile.read(1)[0]
            found |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return found

    def _text(self) -> str:
        return self.rfile.read(self._number()).decode()

    def _hello(self) -> None:
        self._text()
        for _ in range(3):
            self._number()
        for _ in range(3):
            self._text()
        numbers = varint(26) + varint(9) + varint(REVISION)
        self.wfile.write(varint(HELLO) + text("ClickHouse") + numbers + text("UTC") + text("chdb") + varint(0))

    def _statement(self) -> str:
        self._text()
        self.rfile.read(1)
        for _ in range(3):
            self._text()
        self.rfile.read(1)
        for _ in range(3):
            self._text()
        for _ in range(3):
            self._number()
        self._text()
        self._number()
        while self._text():  # settings
            self._number()
            self._text()
        self._number()
        self._number()
        statement = self._text()
        assert self.rfile.read(1)[0] == 2  # no tables come with it
        self._text()
        self.rfile.read(len(INFO))
        assert self._number() == self._number() == 0
        return statement

    def _answer(self, statement: str) -> None:
        answer = b""
        for block in blocks(run(statement)) or ([described(statement)] if is_asking(statement) else []):
            answer += varint(DATA) + text("") + INFO + block
        self.wfile.write(answer + varint(END))

    def _refuse(self, message: str) -> None:
        code = int(message.partition("Code: ")[2].partition(".")[0] or 0)
        told = struct.pack("<i", code) + text("DB::Exception") + text(message) + text("") + b"\x00"
        self.wfile.write(varint(EXCEPTION) + told)


def is_asking(statement: str) -> bool:
    return statement.lstrip("( \n").upper().startswith(("SELECT", "WITH"))


def described(statement: str) -> bytes:
    """The block that names the columns of an answer without rows."""
    listed = run(f"DESCRIBE ({statement})", "TSVRaw").decode().splitlines()
    return header([line.split("\t")[:2] for line in listed])


def header(columns: Any) -> bytes:
    """A block without rows."""
    return varint(len(columns)) + varint(0) + b"".join(text(name) + text(kind) for name, kind in columns)


class Http(BaseHTTPRequestHandler):
    """Requests of the HTTP interface: a statement, or one with a file."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        given = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        body = body_of(self.headers, self.rfile)
        try:
            statement = given.get("query")
            if statement is None:
                first, _, rest = body.partition(b"\n")
                is_insert = first.lstrip().startswith(b"INSERT")
                statement, body = (first.decode(), rest) if is_insert else (body.decode(), b"")
            answer = with_file(statement, body) if body else run(statement, "TabSeparated")
            self._send(200, answer)
        except RuntimeError as error:
            self._send(500, str(error).encode())

    do_GET = do_POST

    def _send(self, status: int, answer: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Not of each request."""


def body_of(headers: Any, stream: BinaryIO) -> bytes:
    """The body of a request, whole."""
    body = b""
    if "chunked" in headers.get("Transfer-Encoding", ""):
        while size := int(stream.readline(), 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
    else:
        body = stream.read(int(headers.get("Content-Length", 0)))
    return gzip.decompress(body) if headers.get("Content-Encoding") in ("gz", "gzip") else body


def with_file(statement: str, body: bytes) -> bytes:
    """Insert a file."""
    into, _, named = statement.strip().rpartition(" FORMAT ")
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        settings = "SETTINGS date_time_input_format = 'best_effort'"
        return run(f"{into} FROM INFILE '{file.name}' COMPRESSION 'none' {settings} FORMAT {named.strip()}")


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    port, http_port = map(int, sys.argv[1:])
    http = ThreadingHTTPServer(("127.0.0.1", http_port), Http)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Native) as native:
        print("serves", flush=True)
        native.serve_forever()
