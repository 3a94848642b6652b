"""Recipients files in S3: `uploads/<broadcast>` as people sent them, `rows/<broadcast>` as we read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_UPLOAD_BYTES = 5_000_000_000
# a role's session may end before a longer form would
FORM_SECONDS = 900
_PART_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A form that lets somebody without AWS credentials upload one file."""

    url: str
    fields: dict[str, str]
    expires_in: int


class FileChangedError(Exception):
    """The file is another one than when it was first read."""


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
        try:
            self._client.head_object(Bucket=self._bucket, Key=_upload(broadcast_id))
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                return False
            raise
        return True

    def open_upload(self, broadcast_id: str) -> BinaryIO:
        """Open an upload as a stream that is read once, from the front."""
        body = self._client.get_object(Bucket=self._bucket, Key=_upload(broadcast_id))["Body"]
        return cast("BinaryIO", body)

    def write_rows(self, broadcast_id: str, lines: Iterable[bytes]) -> str:
        """Write rows, in parts so that memory stays flat, and return the file's ETag.

        The file appears whole or not at all; the same lines give the same ETag.
        """
        target: Any = {"Bucket": self._bucket, "Key": _rows(broadcast_id)}
        parts = _parts(lines)
        first = next(parts, b"")
        second = next(parts, None)
        if second is None:
            return self._client.put_object(**target, Body=first)["ETag"]
        return self._put_parts(target, chain((first, second), parts))

    def _put_parts(self, target: Any, parts: Iterable[bytes]) -> str:
        upload = self._client.create_multipart_upload(**target)["UploadId"]
        done: list[Any] = []
        complete = False
        try:
            for number, part in enumerate(parts, start=1):
                etag = self._client.upload_part(
                    **target, UploadId=upload, PartNumber=number, Body=part
                )["ETag"]
                done.append({"PartNumber": number, "ETag": etag})
            answer = self._client.complete_multipart_upload(
                **target, UploadId=upload, MultipartUpload={"Parts": done}
            )
            complete = True
            return answer["ETag"]
        finally:
            if not complete:
                self._client.abort_multipart_upload(**target, UploadId=upload)

    def read_rows(self, broadcast_id: str, *, etag: str, start: int, size: int) -> bytes:
        """Read `size` bytes of the rows from `start` on, fewer at the end.

        Raises FileChangedError when the file is not the one that was written.
        """
        try:
            answer = self._client.get_object(
                Bucket=self._bucket,
                Key=_rows(broadcast_id),
                Range=f"bytes={start}-{start + size - 1}",
                IfMatch=etag,
            )
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "InvalidRange":
                    return b""
                case "PreconditionFailed" | "412":
                    raise FileChangedError(broadcast_id) from error
            raise
        return answer["Body"].read()


def _upload(broadcast_id: str) -> str:
    return f"uploads/{broadcast_id}"


def _rows(broadcast_id: str) -> str:
    return f"rows/{broadcast_id}"


def _parts(lines: Iterable[bytes]) -> Iterator[bytes]:
    part = bytearray()
    for line in lines:
        part += line
        if len(part) >= _PART_BYTES:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)
