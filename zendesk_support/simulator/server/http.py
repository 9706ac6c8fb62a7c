"""The HTTP server: one thread a connection, one write a reply."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import traceback
import zlib
from collections.abc import Callable
from http import HTTPStatus

from zendesk_support.simulator.clock import Clock, http_date
from zendesk_support.simulator.server.encode import gzip
from zendesk_support.simulator.server.messages import TEXT, Reply, Request

SMALLEST_PACKED = 600
TRICKLED = 50
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Server:
    """Listens on one loopback port for one brand."""

    def __init__(self, handle: Callable[[Request], Reply], clock: Clock, brand: int, port: int) -> None:
        self._handle = handle
        self._clock = clock
        self._brand = brand
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name=f"simulator-{self.port}", daemon=True)

    def start(self) -> None:
        """Start answering."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            open_now = list(self._open)
        for connection in open_now:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        try:
            while self._exchange(connection, reader.readline, reader.read):
                pass
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            with contextlib.suppress(OSError):
                reader.close()
                connection.close()

    def _exchange(self, connection: socket.socket, readline: Callable[[], bytes], read: Callable[[int], bytes]) -> bool:
        """Read one request and answer it; tell whether the connection stays open."""
        first = readline()
        if not first:
            return False
        try:
            method, target, _ = first.decode("latin-1").split()
        except ValueError:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        headers: dict[str, str] = {}
        while (line := readline()) not in (b"\r\n", b"\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length") or 0)
        body = read(length) if length else b""
        path, _, query = target.partition("?")
        request = Request(method, path, query, headers, body, self._brand, self.base_url)
        try:
            reply = self._handle(request)
        except Exception:
            reply = Reply(500, f"simulator error\n{traceback.format_exc()}".encode(), TEXT)
        keep = headers.get("connection", "").lower() != "close"
        return self._send(connection, request, reply, keep)

    def _send(self, connection: socket.socket, request: Request, reply: Reply, keep: bool) -> bool:
        if reply.wire == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if reply.wire in ("endless", "bomb"):
            self._pour(connection, reply)
            return False
        body, packed = self._body(request, reply)
        encoding = [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")] if packed else []
        head = self._head(reply, [*encoding, ("Connection", "keep-alive" if keep else "close")])
        if reply.wire == "cut_chunk":
            part = body[: len(body) // 2]
            chunk = f"{len(body):x}\r\n".encode() + part
            connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)
            return False
        if reply.wire == "truncate":
            connection.sendall(head + f"Content-Length: {len(body) + 1000}\r\n\r\n".encode() + body)
            return False
        head += f"Content-Length: {len(body)}\r\n\r\n".encode()
        if reply.wire == "trickle":
            self._trickle(connection, head, body, reply.wire_option)
        else:
            connection.sendall(head + body)
        return keep

    def _trickle(self, connection: socket.socket, head: bytes, body: bytes, pause: int) -> None:
        """Send a body in small pieces, some seconds apart."""
        connection.sendall(head)
        step = max(1, len(body) // TRICKLED)
        for start in range(0, len(body), step):
            connection.sendall(body[start : start + step])
            self._clock.sleep(pause)

    @staticmethod
    def _body(request: Request, reply: Reply) -> tuple[bytes, bool]:
        accepts = "gzip" in request.headers.get("accept-encoding", "")
        if reply.packed is not None:
            if accepts or reply.wire == "bad_gzip":
                return reply.packed, True
            return zlib.decompress(reply.packed, 31), False
        if accepts and len(reply.body) >= SMALLEST_PACKED:
            return gzip(reply.body), True
        return reply.body, False

    def _head(self, reply: Reply, extra: list[tuple[str, str]]) -> bytes:
        reason = _REASONS.get(reply.status, "Unknown")
        usual = [
            ("Date", http_date(self._clock.now())),
            ("Content-Type", reply.content_type),
            ("Server", "simulator"),
            ("Cache-Control", "max-age=0, private, must-revalidate"),
            *reply.headers,
            *extra,
        ]
        headers = [(name, value) for name, value in usual if name.lower() not in reply.replaced]
        headers += [(name, value) for name, value in reply.replaced.items() if value is not None]
        lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{name}: {value}" for name, value in headers)]
        return ("\r\n".join(lines) + "\r\n").encode("latin-1", "replace")

    def _pour(self, connection: socket.socket, reply: Reply) -> None:
        """Send a body without an end, or one that grows a thousandfold when it is unpacked."""
        if reply.wire == "bomb":
            head = self._head(reply, [("Content-Encoding", "gzip"), ("Connection", "close")])
            packer = zlib.compressobj(9, zlib.DEFLATED, 31)
            parts = [packer.compress(b'{"tickets":[{"id":1,"subject":"')]
            blank = b" " * 1_000_000
            parts += [packer.compress(blank) for _ in range(reply.wire_option // len(blank))]
            body = b"".join([*parts, packer.compress(b'"}]}'), packer.flush()])
            connection.sendall(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            return
        head = self._head(reply, [("Transfer-Encoding", "chunked"), ("Connection", "close")])
        connection.sendall(head + b"\r\n" + b'c\r\n{"tickets":[\r\n')
        row = b'{"id":1,"subject":"again"},' * 500
        chunk = f"{len(row):x}\r\n".encode() + row + b"\r\n"
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(chunk)
