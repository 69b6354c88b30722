//! What the GPUs did lately, over HTTP: a known wave in each tier, gaps where nothing was read, and what a crash and a full
//! disk leave.

mod crash;
mod full_disk;
mod replay;
mod wave;
