"""The same object storage as Google's: the part of its JSON interface that pyarrow's client uses, over a folder."""

from __future__ import annotations

import json
import re
import urllib.parse
from pathlib import Path
from typing import Any

from object_storage import Answer, Storage

OBJECT = re.compile(r"(?:/download)?(?P<upload>/upload)?/storage/v1/b/(?P<bucket>[^/?]+)(?:/o(?:/(?P<name>[^?]*))?)?")
RANGE = re.compile(r"bytes (?:(?P<first>\d+)-\d+|\*)/(?P<whole>\d+|\*)")


class GoogleStorage(Storage):
    """Serves the folders below `root` as buckets. Uploads are resumable: `coming` holds what came of each."""

    def __init__(self, root: Path, *, port: int = 0, latency: float = 0.0) -> None:
        super().__init__(root, port=port, latency=latency)
        self.RequestHandlerClass = _GoogleAnswer
        self.coming: dict[str, bytearray] = {}


class _GoogleAnswer(Answer):
    server: GoogleStorage

    def do_POST(self) -> None:  # noqa: N802
        """An upload begins, or comes in one piece with what is said of it."""
        body = self._body()
        if not self._noted():
            return
        found, asked = self._wanted()
        name = asked["name"][0] if "name" in asked else ""
        if asked["uploadType"][0] == "resumable":
            name = name or json.loads(body)["name"]
            upload = f"{found['bucket']}/{name}"
            self.server.coming[upload] = bytearray()
            query = urllib.parse.urlencode({"uploadType": "resumable", "upload_id": upload})
            self._send(200, b"", {"Location": f"{self.server.address}{self.path.partition('?')[0]}?{query}"})
            return
        if asked["uploadType"][0] == "multipart":
            mark = self.headers["Content-Type"].partition("boundary=")[2].strip("\"'").encode()
            about, content = (part.partition(b"\r\n\r\n")[2][:-2] for part in body.split(b"--" + mark)[1:3])
            name, body = json.loads(about).get("name", name), content
        self._store(found["bucket"], name, body)

    def do_PUT(self) -> None:  # noqa: N802
        """A piece of an upload, or the question how much of it came."""
        body = self._body()
        if not self._noted():
            return
        upload = self._wanted()[1]["upload_id"][0]
        came, where = self.server.coming[upload], RANGE.fullmatch(self.headers.get("Content-Range", "bytes */*"))
        assert where is not None
        if where["first"] is not None:
            came[int(where["first"]) :] = body
        if where["whole"] == str(len(came)) or "Content-Range" not in self.headers:
            bucket, _, name = upload.partition("/")
            self._store(bucket, name, bytes(came) or body)
        else:
            self._send(308, b"", {"Range": f"bytes=0-{len(came) - 1}"} if came else {})

    def do_DELETE(self) -> None:  # noqa: N802
        """An object goes."""
        if not self._noted():
            return
        path = self._path(self._wanted()[0])
        there = path.is_file()
        path.unlink(missing_ok=True)
        self._send(204 if there else 404, b"", {})

    def _answer(self, *, has_body: bool) -> None:
        if not self._noted():
            return
        found, asked = self._wanted()
        path = self._path(found)
        if found["name"] is None:
            self._say(self._list(found["bucket"], asked) if "/o" in self.path else {"name": found["bucket"]})
        elif not path.is_file():
            self._send(404, b'{"error": {"code": 404, "message": "no such object"}}', {})
        elif asked.get("alt") == ["media"]:
            self._send_file(path, has_body)
        else:
            self._say(self._about(found["bucket"], urllib.parse.unquote(found["name"])))

    def _wanted(self) -> tuple[dict[str, Any], dict[str, list[str]]]:
        url = urllib.parse.urlsplit(self.path)
        found = OBJECT.fullmatch(url.path)
        assert found is not None, self.path
        return found.groupdict(), urllib.parse.parse_qs(url.query, keep_blank_values=True)

    def _path(self, found: dict[str, Any]) -> Path:
        return self.server.root / str(found["bucket"]) / urllib.parse.unquote(found["name"] or "")

    def _store(self, bucket: str, name: str, content: bytes) -> None:
        self._keep(self.server.root / bucket / name, content)
        self._say(self._about(bucket, name))

    def _list(self, bucket: str, asked: dict[str, list[str]]) -> dict[str, Any]:
        prefix, delimiter = asked.get("prefix", [""])[0], asked.get("delimiter", [""])[0]
        base = self.server.root / bucket
        names = sorted(file.relative_to(base).as_posix() for file in base.rglob("*") if file.is_file())
        names = [name for name in names if name.startswith(prefix) and not name.rpartition("/")[2].startswith(".")]
        folders = {prefix + name[len(prefix) :].partition("/")[0] + "/" for name in names if "/" in name[len(prefix) :]}
        own = [name for name in names if not delimiter or "/" not in name[len(prefix) :]]
        found = {"kind": "storage#objects", "items": [self._about(bucket, name) for name in own]}
        return found | ({"prefixes": sorted(folders)} if delimiter else {})

    def _about(self, bucket: str, name: str) -> dict[str, Any]:
        size = (self.server.root / bucket / name).stat().st_size
        moment = "2026-01-01T00:00:00.000Z"
        return {
            "kind": "storage#object", "id": f"{bucket}/{name}/1", "name": name, "bucket": bucket, "size": str(size),
            "generation": "1", "metageneration": "1", "timeCreated": moment, "updated": moment,
        }  # fmt: skip

    def _say(self, about: dict[str, Any]) -> None:
        self._send(200, json.dumps(about).encode(), {"Content-Type": "application/json"})
