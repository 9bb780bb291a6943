"""A data source: something that a run reads, under a name of its project.

``info`` is externally tagged. The first two kinds are Daft Cloud's, field by field; the others are the
readers of Daft (0.7.26), each with the options that can be said in JSON.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from daftray.domain.forms import Tagged
from daftray.domain.source_files import (
    BlobFiles,
    CsvFiles,
    Files,
    JsonFiles,
    McapFile,
    ParquetFiles,
    S3Files,
    SupabaseFiles,
    TextFiles,
    VideoFrames,
    WarcFiles,
    WebDatasetFiles,
)
from daftray.domain.source_tables import (
    CatalogTable,
    DeltaTable,
    HudiTable,
    HuggingFaceDataset,
    IcebergTable,
    KafkaTopics,
    LanceTable,
    PaimonTable,
    SqlQuery,
)
from daftray.domain.spec import Name


class DataSourceInfo(Tagged, frozen=True, kw_only=True):
    """What a data source is: exactly one kind."""

    s3: S3Files | None = None
    supabase_storage: SupabaseFiles | None = None
    parquet: ParquetFiles | None = None
    csv: CsvFiles | None = None
    json: JsonFiles | None = None
    text: TextFiles | None = None
    blob: BlobFiles | None = None
    warc: WarcFiles | None = None
    webdataset: WebDatasetFiles | None = None
    mcap: McapFile | None = None
    video_frames: VideoFrames | None = None
    files: Files | None = None
    glob_paths: Files | None = None
    iceberg: IcebergTable | None = None
    deltalake: DeltaTable | None = None
    hudi: HudiTable | None = None
    lance: LanceTable | None = None
    paimon: PaimonTable | None = None
    table: CatalogTable | None = None
    huggingface: HuggingFaceDataset | None = None
    sql: SqlQuery | None = None
    kafka: KafkaTopics | None = None


class DataSourceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a create or replace call."""

    name: Name
    info: DataSourceInfo


class DataSource(msgspec.Struct, frozen=True, kw_only=True):
    """A data source of a project."""

    id: str
    name: str
    info: DataSourceInfo
    created_at: datetime
    updated_at: datetime
