"""Recipients files in S3: `uploads/<broadcast>` as people sent them, `rows/<broadcast>` as we read them.

Rows that take longer than one invocation are one multipart upload that lives across several: parts are numbered,
and putting a part again replaces it by the same. Beside them `rows/<broadcast>.import/<n>.*` keeps what it takes to
go on after part n. Reports are `reports/<broadcast>/<name>.csv`; their parts have names that nobody uses twice, so that
whoever puts one never replaces another's, and are joined in the end. `media/<text>/<n>` are pictures that came with
texts. Every call moves some megabytes at most, so none
lasts longer than its timeout.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sendpool.domain.media import LARGEST_BYTES, MediaTooLargeError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_UPLOAD_BYTES = 5_000_000_000
# a role's session may end before a longer form would
FORM_SECONDS = 900
_RANGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A form that lets somebody without AWS credentials upload one file."""

    url: str
    fields: dict[str, str]
    expires_in: int


class FileChangedError(Exception):
    """The file is another one than when it was first read."""


class RowsFinishedError(Exception):
    """The multipart upload of the rows is over: its parts were made one file of, or have expired."""


class FileGoneError(Exception):
    """The file is not there any more: it has expired, or somebody deleted it."""


class Files:
    """The bucket with recipients files."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def upload_form(self, broadcast_id: str) -> UploadForm:
        """Sign a form for the upload of a broadcast's recipients, of at most 5 GB."""
        form = self._client.generate_presigned_post(
            self._bucket,
            _upload(broadcast_id),
            Conditions=[["content-length-range", 1, MAX_UPLOAD_BYTES]],
            ExpiresIn=FORM_SECONDS,
        )
        return UploadForm(form["url"], form["fields"], FORM_SECONDS)

    def put_upload(self, broadcast_id: str, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=_upload(broadcast_id), Body=content)

    def has_upload(self, broadcast_id: str) -> bool:
        return self._has(_upload(broadcast_id))

    def has_rows(self, broadcast_id: str) -> bool:
        return self._has(_rows(broadcast_id))

    def upload_etag(self, broadcast_id: str) -> str | None:
        """Return the ETag of a broadcast's upload; None if there is none."""
        return self._etag(_upload(broadcast_id))

    def _has(self, key: str) -> bool:
        return self._etag(key) is not None

    def _etag(self, key: str) -> str | None:
        try:
            return self._client.head_object(Bucket=self._bucket, Key=key)["ETag"]
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                return None
            raise

    def open_upload(self, broadcast_id: str, *, start: int = 0, etag: str | None = None) -> Upload:
        """Open an upload at a byte, to be read forward; with `etag` only if it is still that file.

        Reading raises FileChangedError when the file is another one than at first.
        """
        return Upload(self, _upload(broadcast_id), start=start, etag=etag)

    def open_rows(self, broadcast_id: str, *, start: int, etag: str) -> Upload:
        """Open the rows at a byte, to be read forward like an upload."""
        return Upload(self, _rows(broadcast_id), start=start, etag=etag)

    def put_rows(self, broadcast_id: str, lines: bytes) -> str:
        """Write all rows at once, and return the file's ETag."""
        answer = self._client.put_object(Bucket=self._bucket, Key=_rows(broadcast_id), Body=lines)
        return answer["ETag"]

    def begin_rows(self, broadcast_id: str) -> str:
        """Begin rows that come in parts; returns the id of the multipart upload. Unfinished, it expires."""
        answer = self._client.create_multipart_upload(Bucket=self._bucket, Key=_rows(broadcast_id))
        return answer["UploadId"]

    def put_part(self, broadcast_id: str, upload_id: str, number: int, lines: bytes) -> str:
        """Put one part of the rows (numbers from 1, at least 5 MiB but the last), and return its ETag.

        Raises RowsFinishedError when no more parts are taken.
        """
        try:
            answer = self._client.upload_part(
                Bucket=self._bucket,
                Key=_rows(broadcast_id),
                UploadId=upload_id,
                PartNumber=number,
                Body=lines,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise
            raise RowsFinishedError(broadcast_id) from error
        return answer["ETag"]

    def finish_rows(self, broadcast_id: str, upload_id: str, etags: Sequence[str]) -> str:
        """Make one file of the parts, and return its ETag; finishing again changes nothing."""
        parts: Any = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, start=1)]
        target: Any = {"Bucket": self._bucket, "Key": _rows(broadcast_id)}
        try:
            answer = self._client.complete_multipart_upload(
                **target, UploadId=upload_id, MultipartUpload={"Parts": parts}
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise
            # it was finished before, and that was all that was left to do: the file is there
            return self._client.head_object(**target)["ETag"]
        return answer["ETag"]

    def keep_import(self, broadcast_id: str, part: int, *, place: bytes, seen: bytes) -> None:
        """Keep what it takes to go on with the import after this part."""
        for kind, content in (("place", place), ("seen", seen)):
            self._client.put_object(
                Bucket=self._bucket, Key=_import(broadcast_id, part, kind), Body=content
            )

    def kept_place(self, broadcast_id: str, part: int) -> bytes:
        """Return the place that was kept after this part."""
        return self._whole(_import(broadcast_id, part, "place"))

    def kept_seen(self, broadcast_id: str, part: int) -> bytes:
        """Return the numbers seen that were kept after this part."""
        return self._whole(_import(broadcast_id, part, "seen"))

    def keep_chosen(self, broadcast_id: str, upload_id: str, numbers: bytes) -> None:
        """Keep which rows of another broadcast go into the multipart upload."""
        self._client.put_object(
            Bucket=self._bucket, Key=_chosen(broadcast_id, upload_id), Body=numbers
        )

    def kept_chosen(self, broadcast_id: str, upload_id: str) -> bytes:
        """Return which rows of another broadcast go into the multipart upload."""
        return self._whole(_chosen(broadcast_id, upload_id))

    def put_report_part(self, report: str, part: str, lines: bytes) -> None:
        """Put a part of a report under a name of its own; all parts but the last need 5 MiB to be joined."""
        self._client.put_object(Bucket=self._bucket, Key=_report_part(report, part), Body=lines)

    def report_part(self, report: str, part: str) -> bytes:
        return self._whole(_report_part(report, part))

    def join_report(self, report: str, parts: Sequence[str]) -> None:
        """Make one file of the parts; joining again changes nothing."""
        target: Any = {"Bucket": self._bucket, "Key": _report(report)}
        begun = self._client.create_multipart_upload(**target, ContentType="text/csv")
        target["UploadId"] = begun["UploadId"]
        copied: list[Any] = []
        for number, part in enumerate(parts, start=1):
            source: Any = {"Bucket": self._bucket, "Key": _report_part(report, part)}
            answer = self._client.upload_part_copy(**target, PartNumber=number, CopySource=source)
            copied.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
        self._client.complete_multipart_upload(**target, MultipartUpload={"Parts": copied})

    def report_url(self, report: str) -> str:
        """Sign a link with which somebody without AWS credentials can download a report, for a quarter of an hour."""
        return self._link(_report(report))

    def keep_media(self, key: str, pieces: Iterable[bytes], *, content_type: str) -> int:
        """Keep a picture under a key, and return its bytes' number; raises MediaTooLargeError."""
        content = bytearray()
        for piece in pieces:
            content += piece
            if len(content) > LARGEST_BYTES:
                raise MediaTooLargeError
        self._client.put_object(
            Bucket=self._bucket, Key=key, Body=bytes(content), ContentType=content_type
        )
        return len(content)

    def media_url(self, key: str) -> str:
        """Sign a link to a picture that was kept, for a quarter of an hour."""
        return self._link(key)

    def _link(self, key: str) -> str:
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=FORM_SECONDS
        )

    def _whole(self, key: str) -> bytes:
        return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def read_rows(self, broadcast_id: str, *, etag: str, start: int, size: int) -> bytes:
        """Read `size` bytes of the rows from `start` on, fewer at the end.

        Raises FileChangedError when the file is not the one that was written.
        """
        return self.read_range(_rows(broadcast_id), start=start, size=size, etag=etag)[0]

    def read_range(
        self, key: str, *, start: int, size: int, etag: str | None
    ) -> tuple[bytes, str | None]:
        """Read `size` bytes of a file, fewer at its end; returns them with the file's ETag.

        Raises FileChangedError when the file is not the one with `etag`, FileGoneError when there is none.
        """
        wanted: Any = {"IfMatch": etag} if etag else {}
        try:
            answer = self._client.get_object(
                Bucket=self._bucket, Key=key, Range=f"bytes={start}-{start + size - 1}", **wanted
            )
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "InvalidRange":
                    return b"", etag
                case "PreconditionFailed" | "412":
                    raise FileChangedError(key) from error
                case "NoSuchKey":
                    raise FileGoneError(key) from error
            raise
        return answer["Body"].read(), answer["ETag"]


class Upload:
    """An upload that is read forward, range by range, all of them of one file; its ETag once it was read."""

    def __init__(self, files: Files, key: str, *, start: int, etag: str | None) -> None:
        self._files = files
        self._key = key
        self._next = start
        self._range = io.BytesIO()
        self._is_read = False
        self.etag = etag

    def read(self, size: int = -1, /) -> bytes:
        """Read at most `size` bytes, none at the end."""
        piece = self._range.read(size)
        if piece or self._is_read:
            return piece
        self._range.close()  # its memory is for the next one
        self._range = io.BytesIO(self._fetch())
        return self._range.read(size)

    def _fetch(self) -> bytes:
        content, self.etag = self._files.read_range(
            self._key, start=self._next, size=_RANGE_BYTES, etag=self.etag
        )
        self._next += len(content)
        self._is_read = len(content) < _RANGE_BYTES
        return content


def _upload(broadcast_id: str) -> str:
    return f"uploads/{broadcast_id}"


def _rows(broadcast_id: str) -> str:
    return f"rows/{broadcast_id}"


def _report(report: str) -> str:
    return f"reports/{report}.csv"


def _report_part(report: str, part: str) -> str:
    return f"reports/{report}.parts/{part}"


def _chosen(broadcast_id: str, upload_id: str) -> str:
    return f"rows/{broadcast_id}.import/{upload_id}.chosen"


def _import(broadcast_id: str, part: int, kind: str) -> str:
    return f"rows/{broadcast_id}.import/{part:05}.{kind}"
