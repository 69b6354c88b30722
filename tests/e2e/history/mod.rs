//! What the GPUs did lately, over HTTP: a known wave in each tier, gaps where nothing was read, and what a crash leaves.

mod crash;
mod replay;
mod wave;
