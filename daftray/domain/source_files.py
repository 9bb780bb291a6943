"""Data sources that are files: each with what Daft's reader of that format can be told."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from daftray.domain.errors import InputIssue
from daftray.domain.forms import Part
from daftray.domain.spec import NonEmpty
from daftray.domain.storage import Count, SecretName, Storage, Url

Paths = Annotated[list[NonEmpty], msgspec.Meta(min_length=1, max_length=10_000)]
Character = Annotated[str, msgspec.Meta(min_length=1, max_length=1)]
Pixels = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
FileFormat = Literal["parquet", "csv", "json", "jsonl", "text", "blob", "warc"]


class Files(Part, frozen=True, kw_only=True):
    """Files, by path or pattern, on the storage that their paths' schemes name."""

    paths: Paths
    io: Storage | None = None


class PartitionedFiles(Files, frozen=True, kw_only=True):
    """Files whose folders may be columns (``day=2026-01-31``) and whose own path may become one."""

    hive_partitioning: bool | None = None
    file_path_column: NonEmpty | None = None


class ParquetFiles(PartitionedFiles, frozen=True, kw_only=True):
    """Parquet."""

    coerce_int96_timestamp_unit: Literal["ns", "us", "ms", "s"] | None = None
    ignore_corrupt_files: bool | None = None


class CsvFiles(PartitionedFiles, frozen=True, kw_only=True):
    """Text with separated values."""

    has_headers: bool | None = None
    delimiter: Character | None = None
    double_quote: bool | None = None
    quote: Character | None = None
    escape_char: Character | None = None
    comment: Character | None = None
    allow_variable_columns: bool | None = None
    ignore_corrupt_files: bool | None = None


class JsonFiles(PartitionedFiles, frozen=True, kw_only=True):
    """JSON, by lines or as one array."""

    skip_empty_files: bool | None = None


class TextFiles(PartitionedFiles, frozen=True, kw_only=True):
    """Text: a row for each line, or for each file with ``whole_text``."""

    encoding: NonEmpty | None = None
    skip_blank_lines: bool | None = None
    whole_text: bool | None = None


class BlobFiles(Files, frozen=True, kw_only=True):
    """The bytes of files, a row for each."""

    on_error: Literal["raise", "null"] | None = None
    max_connections: Count | None = None


class WarcFiles(Files, frozen=True, kw_only=True):
    """Web archives."""

    file_path_column: NonEmpty | None = None


class WebDatasetFiles(Files, frozen=True, kw_only=True):
    """Shards of a WebDataset (tar)."""

    batch_size: Count | None = None


class McapFile(Part, frozen=True, kw_only=True):
    """Recordings of a robot. Times are nanoseconds."""

    path: NonEmpty
    start_time: int | None = None
    end_time: int | None = None
    topics: Paths | None = None
    batch_size: Count | None = None
    io: Storage | None = None


class VideoFrames(Files, frozen=True, kw_only=True):
    """Frames of videos, scaled to a size in pixels."""

    image_height: Pixels
    image_width: Pixels
    is_key_frame: bool | None = None
    sample_interval_seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None


class S3Files(Part, frozen=True, kw_only=True):
    """Files of one bucket, as Daft Cloud has them. ``paths`` are keys or patterns within the bucket."""

    bucket: Annotated[str, msgspec.Meta(pattern=r"^[^\s/:@]{1,255}$")]
    paths: Paths
    format: FileFormat
    region: NonEmpty | None = None
    endpoint: Url | None = None
    secret_name: SecretName | None = None


class SupabaseFiles(Part, frozen=True, kw_only=True):
    """Files of a bucket of Supabase Storage, as Daft Cloud has them; no ``paths`` means all of them."""

    project_url: Url
    bucket: Annotated[str, msgspec.Meta(pattern=r"^[^\s/:@]{1,255}$")]
    paths: list[NonEmpty] | None = None
    format: FileFormat | None = None
    secret_name: SecretName

    def issues(self, path: str) -> list[InputIssue]:
        """Refuse an address that is more than a project's."""
        if "?" in self.project_url or "#" in self.project_url:
            return [
                InputIssue(path=f"{path}.project_url", message="give the project's address, without ? and #")
            ]
        return []
