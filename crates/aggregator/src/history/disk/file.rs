//! The file: tables of blocks, of the layouts that they were packed in, and of GPUs. The only place that knows the engine.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use gpulse_models::GpuId;
use redb::{
    Builder, Database, DatabaseError, ReadableTable, StorageError, TableDefinition, WriteTransaction,
};

use super::{
    super::{
        metrics::KEPT,
        packed::{Packed, split},
        store::BlockId,
    },
    Kept,
};

/// The number of this format. A file with another one is moved aside.
const FORMAT: u64 = 1;

/// Bytes that the engine may cache: little, because the file is written, and read once.
const CACHE: usize = 512 << 10;

/// What is in the file: the number of the format.
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

/// Paths of metrics, in the order of the columns of blocks, by number.
const LAYOUTS: TableDefinition<'_, u32, &str> = TableDefinition::new("layouts");

/// NVML's index, by UUID.
const GPUS: TableDefinition<'_, &str, u32> = TableDefinition::new("gpus");

/// Blocks by UUID, seconds of a slot, and number: a checksum, the number of the layout, and the columns.
const BLOCKS: TableDefinition<'_, (&str, i64, i64), &[u8]> = TableDefinition::new("blocks");

/// Bytes before the columns.
const HEAD: usize = 12;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The disk or its rights.
    #[error("{0}")]
    Io(io::Error),
    /// Another process has it.
    #[error("another process has the file open: give each agent a history.directory of its own")]
    Locked,
    /// It is not what this agent writes.
    #[error("{0}")]
    Unsound(String),
}

/// The open file.
pub(crate) struct File {
    database: Database,
    path: PathBuf,
    layout: u32,
}

impl File {
    /// Opens the file at `path`, made if there is none, and reads all of it.
    pub(crate) fn open(path: &Path) -> Result<(Self, Kept), OpenError> {
        let database = Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create(path)
            .map_err(database_error)?;
        let writing = database.begin_write().map_err(transaction_error)?;
        let (layout, kept) = prepare(&writing)?;
        writing.commit().map_err(commit_error)?;
        let file = Self {
            database,
            path: path.to_owned(),
            layout,
        };
        Ok((file, kept))
    }

    /// Writes blocks, and forgets those that are older than the oldest of their tier.
    pub(crate) fn write(
        &mut self,
        blocks: &[(&BlockId, Arc<Packed>)],
        gpus: &[(BlockId, u32)],
        oldest: Option<&[(BlockId, u32)]>,
    ) -> Result<(), OpenError> {
        let writing = self.database.begin_write().map_err(transaction_error)?;
        {
            let mut table = writing.open_table(BLOCKS).map_err(table_error)?;
            for (id, packed) in blocks {
                let value = sealed(self.layout, packed.bytes());
                let key = (id.gpu.as_str(), id.step, id.number);
                table.insert(key, value.as_slice()).map_err(engine)?;
            }
            if let Some(oldest) = oldest {
                let is_kept = |(gpu, step, number): (&str, i64, i64)| {
                    let of_tier = |(id, _): &&(BlockId, u32)| id.gpu.as_str() == gpu && id.step == step;
                    oldest
                        .iter()
                        .find(of_tier)
                        .is_some_and(|(id, _)| number >= id.number)
                };
                table.retain(|key, _| is_kept(key)).map_err(engine)?;
            }
            let mut table = writing.open_table(GPUS).map_err(table_error)?;
            for (id, index) in gpus {
                table.insert(id.gpu.as_str(), index).map_err(engine)?;
            }
            if oldest.is_some() {
                let is_kept = |gpu: &str| gpus.iter().any(|(id, _)| id.gpu.as_str() == gpu);
                table.retain(|gpu, _| is_kept(gpu)).map_err(engine)?;
            }
        }
        writing.commit().map_err(commit_error)
    }

    /// Makes the file shorter than `max_bytes`: first by giving free room back, then by forgetting the oldest half.
    pub(crate) fn shrink(&mut self, max_bytes: u64) -> Result<(), OpenError> {
        for _ in 0..2 {
            if self.length()? <= max_bytes {
                return Ok(());
            }
            self.compact()?;
            if self.length()? <= max_bytes {
                return Ok(());
            }
            self.forget_half()?;
        }
        self.compact()
    }

    /// Bytes of the file.
    pub(crate) fn length(&self) -> Result<u64, OpenError> {
        Ok(fs::metadata(&self.path)?.len())
    }

    fn compact(&mut self) -> Result<(), OpenError> {
        let compacted = self.database.compact();
        compacted
            .map(|_| ())
            .map_err(|error| OpenError::Unsound(error.to_string()))
    }

    fn forget_half(&mut self) -> Result<(), OpenError> {
        let writing = self.database.begin_write().map_err(transaction_error)?;
        {
            let mut table = writing.open_table(BLOCKS).map_err(table_error)?;
            let mut ages = Vec::new();
            for entry in table.iter().map_err(engine)? {
                let (key, _) = entry.map_err(engine)?;
                let (_, step, number) = key.value();
                ages.push(begin(step, number));
            }
            ages.sort_unstable();
            let middle = ages.get(ages.len() / 2).copied().unwrap_or(0);
            table
                .retain(|(_, step, number), _| begin(step, number) > middle)
                .map_err(engine)?;
        }
        writing.commit().map_err(commit_error)
    }
}

/// About when a block begins, for comparing those of different tiers.
fn begin(step: i64, number: i64) -> i64 {
    let tier = super::super::ring::Tier { step, keep: 0 };
    number.saturating_mul(tier.width()).saturating_mul(step)
}

/// Makes the tables where there are none, and reads what is in them.
fn prepare(writing: &WriteTransaction) -> Result<(u32, Kept), OpenError> {
    let mut about = writing.open_table(ABOUT).map_err(table_error)?;
    let format = about.get("format").map_err(engine)?.map(|format| format.value());
    match format {
        None => {
            about.insert("format", FORMAT).map_err(engine)?;
        }
        Some(FORMAT) => {}
        Some(other) => return Err(OpenError::Unsound(format!("it has format {other}, not {FORMAT}"))),
    }
    let mut layouts = writing.open_table(LAYOUTS).map_err(table_error)?;
    let own: Vec<&str> = KEPT.all().iter().map(|metric| metric.path.as_str()).collect();
    let own = own.join("\n");
    let mut known = Vec::new();
    for entry in layouts.iter().map_err(engine)? {
        let (number, paths) = entry.map_err(engine)?;
        known.push((number.value(), paths.value().to_owned()));
    }
    let layout = known
        .iter()
        .find(|(_, paths)| *paths == own)
        .map(|(number, _)| *number);
    let layout = match layout {
        Some(layout) => layout,
        None => {
            let next = known.iter().map(|(number, _)| number + 1).max().unwrap_or(0);
            layouts.insert(next, own.as_str()).map_err(engine)?;
            known.push((next, own));
            next
        }
    };
    let mut kept = Kept::default();
    let gpus = writing.open_table(GPUS).map_err(table_error)?;
    for entry in gpus.iter().map_err(engine)? {
        let (uuid, index) = entry.map_err(engine)?;
        kept.gpus.push((GpuId::from_uuid(uuid.value()), index.value()));
    }
    let blocks = writing.open_table(BLOCKS).map_err(table_error)?;
    for entry in blocks.iter().map_err(engine)? {
        let (key, value) = entry.map_err(engine)?;
        let (gpu, step, number) = key.value();
        let packed = opened(value.value(), &known)
            .ok_or_else(|| OpenError::Unsound(format!("block {number} of {gpu} is not what was written")))?;
        let gpu = GpuId::from_uuid(gpu);
        kept.blocks.push((BlockId { gpu, step, number }, packed));
    }
    Ok((layout, kept))
}

/// A block as it lies in the file.
fn sealed(layout: u32, columns: &[u8]) -> Vec<u8> {
    let mut value = vec![0; size_of::<u64>()];
    value.extend(layout.to_le_bytes());
    value.extend(columns);
    let sum = checksum(&value[size_of::<u64>()..]);
    value[..size_of::<u64>()].copy_from_slice(&sum.to_le_bytes());
    value
}

/// A block of the file, its columns in the order of this agent; none if it is not what was written.
fn opened(value: &[u8], layouts: &[(u32, String)]) -> Option<Packed> {
    let (head, columns) = value.split_at_checked(HEAD)?;
    let sum = u64::from_le_bytes(head.get(..8)?.try_into().ok()?);
    if sum != checksum(&value[8..]) {
        return None;
    }
    let layout = u32::from_le_bytes(head.get(8..)?.try_into().ok()?);
    let (_, paths) = layouts.iter().find(|(number, _)| *number == layout)?;
    let columns = split(columns)?;
    let mut own: Vec<Option<&[u8]>> = vec![None; KEPT.count()];
    for (path, column) in paths.split('\n').zip(columns) {
        // A metric that there is no history of any more is left out.
        if let Some(metric) = KEPT.find(path) {
            own[metric.0] = Some(column);
        }
    }
    Packed::made_of(own)
}

/// FNV-1a. The engine has checksums of its own; this one is about the bytes of a block, whatever comes between.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn database_error(error: DatabaseError) -> OpenError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => OpenError::Locked,
        DatabaseError::Storage(error) => engine(error),
        other => unsound(&other),
    }
}

fn transaction_error(error: redb::TransactionError) -> OpenError {
    match error {
        redb::TransactionError::Storage(error) => engine(error),
        other => unsound(&other),
    }
}

fn commit_error(error: redb::CommitError) -> OpenError {
    match error {
        redb::CommitError::Storage(error) => engine(error),
        other => unsound(&other),
    }
}

fn table_error(error: redb::TableError) -> OpenError {
    match error {
        redb::TableError::Storage(error) => engine(error),
        other => unsound(&other),
    }
}

fn engine(error: StorageError) -> OpenError {
    match error {
        // What is no database, or ends too early, is told as that.
        StorageError::Io(error)
            if [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof].contains(&error.kind()) =>
        {
            unsound(&error)
        }
        StorageError::Io(error) => OpenError::Io(error),
        StorageError::PreviousIo => OpenError::Io(io::Error::other("an earlier write failed")),
        other => unsound(&other),
    }
}

fn unsound(error: &impl ToString) -> OpenError {
    OpenError::Unsound(error.to_string())
}
