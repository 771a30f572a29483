"""Object storage on 127.0.0.1 for the tests: what S3 and the web read, list, write and remove, over a folder.

python tests/support/object_storage.py FOLDER --port 9000 --latency 0.02  then s3://BUCKET is the folder FOLDER/BUCKET
"""

from __future__ import annotations

import argparse
import io
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

import pytest


class Storage(ThreadingHTTPServer):
    """Serves the folders below `root` as buckets. `failing` answers are 503 before it heals; `refuses` is 403 for all.

    `requests` are the methods, paths and ranges that were asked for.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, root: Path, *, host: str = "127.0.0.1", port: int = 0, latency: float = 0.0) -> None:
        super().__init__((host, port), Answer)
        self.root, self.latency, self.failing, self.refuses = root, latency, 0, False
        self.requests: list[tuple[str, str, str]] = []
        self.parts: dict[str, dict[int, bytes]] = {}  # of uploads that are not complete
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed in the middle of a request is no fault of the storage, and nothing of it is kept."""

    def asked(self, method: str, part: str = "") -> int:
        """How many requests of this method had this in their path."""
        return sum(its == method and part in path for its, path, _ in self.requests)


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 2**20  # the head and the body in one packet
    disable_nagle_algorithm = True
    server: Storage

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def handle_expect_100(self) -> bool:
        """A client waits a second for this word before it sends what it has: the word must not wait in a buffer."""
        is_expected = super().handle_expect_100()
        self.wfile.flush()
        return is_expected

    def do_HEAD(self) -> None:
        self._answer(has_body=False)

    def do_GET(self) -> None:
        self._answer(has_body=True)

    def do_PUT(self) -> None:
        body = self._body()
        if not self._noted():
            return
        path, asked = self._asked()
        if "partNumber" in asked:
            self.server.parts[asked["uploadId"][0]][int(asked["partNumber"][0])] = body
        elif self.path.split("?")[0].endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            self._keep(path, body)
        self._send(200, b"", {"ETag": '"1"'})

    def do_POST(self) -> None:
        self._body()
        if not self._noted():
            return
        path, asked = self._asked()
        if "uploads" in asked:
            upload = f"u{len(self.server.parts)}"
            self.server.parts[upload] = {}
            self._send_xml(
                f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            )
            return
        parts = self.server.parts.pop(asked["uploadId"][0])
        self.server.parts[asked["uploadId"][0]] = {}
        self._keep(path, b"".join(parts[number] for number in sorted(parts)))
        self._send_xml('<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>')

    def do_DELETE(self) -> None:
        if not self._noted():
            return
        path, _ = self._asked()
        if path.is_file():
            path.unlink()
        self._send(204, b"", {})

    def _asked(self) -> tuple[Path, dict[str, list[str]]]:
        url = urllib.parse.urlsplit(self.path)
        path = self.server.root / urllib.parse.unquote(url.path).lstrip("/")
        return path, urllib.parse.parse_qs(url.query, keep_blank_values=True)

    def _noted(self) -> bool:
        """Notes the request; answers it if the storage fails just now, and gives whether it is still to be answered."""
        time.sleep(self.server.latency)
        with self.server.lock:
            self.server.requests.append((self.command, self.path, self.headers.get("Range", "")))
            is_failing = self.server.failing > 0
            self.server.failing -= is_failing
        if is_failing or self.server.refuses:
            self._send(403 if self.server.refuses else 503, b"", {})
        return not (is_failing or self.server.refuses)

    def _body(self) -> bytes:
        """What was sent: plain, or in pieces that each say their size first."""
        is_long = "chunked" in self.headers.get("Transfer-Encoding", "")
        plain = _joined(self.rfile) if is_long else self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_in_pieces = "STREAMING" in self.headers.get("x-amz-content-sha256", "")
        return _joined(io.BytesIO(plain)) if is_in_pieces else plain

    def _keep(self, path: Path, body: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name(f".{path.name}.coming")
        hidden.write_bytes(body)
        hidden.replace(path)

    def _send_xml(self, text: str) -> None:
        self._send(200, text.encode(), {"Content-Type": "application/xml"})

    def _answer(self, *, has_body: bool) -> None:
        if not self._noted():
            return
        path, asked = self._asked()
        if "list-type" in asked:
            self._send_xml(self._listed(path, asked))
        elif not path.is_file():
            self._send(404, b"", {})
        else:
            self._send_file(path, has_body)

    def _send_file(self, path: Path, has_body: bool) -> None:
        about = path.stat()
        first, last = 0, about.st_size - 1
        if wanted := self.headers.get("Range"):
            start, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last = int(start), min(int(end or last), last)
        if wanted and first > last:
            self._send(416, b"", {})
            return
        heads = {
            "ETag": f'"{about.st_mtime_ns}"', "Accept-Ranges": "bytes", "Last-Modified": _web_date(about.st_mtime),
            "Content-Length": str(last - first + 1),
        }  # fmt: skip
        if wanted:
            heads["Content-Range"] = f"bytes {first}-{last}/{about.st_size}"
        with path.open("rb") as file:
            file.seek(first)
            self._send(206 if wanted else 200, file.read(last - first + 1) if has_body else b"", heads)

    def _listed(self, bucket: Path, asked: dict[str, list[str]]) -> str:
        prefix, delimiter = asked.get("prefix", [""])[0], asked.get("delimiter", [""])[0]
        files = {file.relative_to(bucket).as_posix(): file for file in sorted(bucket.rglob("*")) if file.is_file()}
        names = [name for name in files if name.startswith(prefix)]
        folders = {prefix + name[len(prefix) :].partition("/")[0] + "/" for name in names if "/" in name[len(prefix) :]}
        if delimiter:
            names = [name for name in names if "/" not in name[len(prefix) :]]
        contents = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{files[name].stat().st_size}</Size>"
            f"<LastModified>{_date(files[name].stat().st_mtime)}</LastModified></Contents>"
            for name in names
        )
        common = "".join(
            f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in sorted(folders)
        )
        count = f"<KeyCount>{len(names)}</KeyCount><IsTruncated>false</IsTruncated>"
        return f"<ListBucketResult>{count}{contents}{common if delimiter else ''}</ListBucketResult>"

    def _send(self, status: int, body: bytes, heads: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **heads}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _joined(pieces: IO[bytes]) -> bytes:
    """The bytes of pieces that each say their size first; what follows the last one is left out."""
    whole = b""
    while size := int(pieces.readline().split(b";")[0], 16):
        whole += pieces.read(size)
        pieces.readline()
    while pieces.readline().strip():
        pass
    return whole


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def _web_date(seconds: float) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(seconds))


@contextmanager
def serving(root: Path, *, latency: float = 0.0, kind: type[Storage] | None = None) -> Iterator[Storage]:
    """The storage while the block lasts."""
    storage = (kind or Storage)(root, latency=latency)
    thread = threading.Thread(target=storage.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield storage
    finally:
        storage.shutdown()
        storage.server_close()


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """Storage whose buckets are the folders of tmp_path / "storage", asked without long waits."""
    (tmp_path / "storage" / "b").mkdir(parents=True)
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("sslgraph.files.addresses.WAITS", (0.01, 0.02))
    with serving(tmp_path / "storage") as there:
        monkeypatch.setenv("AWS_ENDPOINT_URL", there.address)
        for name, value in (
            ("ACCESS_KEY_ID", "one"),
            ("SECRET_ACCESS_KEY", "a-secret"),
            ("DEFAULT_REGION", "us-east-1"),
        ):
            monkeypatch.setenv(f"AWS_{name}", value)
        yield there


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="object storage on 127.0.0.1, over a folder")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", default="127.0.0.1", help="the address at which it listens")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    given = parser.parse_args()
    Storage(given.folder, host=given.host, port=given.port, latency=given.latency).serve_forever()
