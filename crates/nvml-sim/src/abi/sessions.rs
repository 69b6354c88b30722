//! Sessions: videos that are encoded, screens that are captured. Each belongs to a process that keeps encoders busy.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Array, InOut, Out, export};
use super::layout::{EncoderSession, FbcSession, FbcStats};
use super::lookup::fill_or_count;
use super::process::race;
use crate::profile::WorkKind;

/// A video server has one session for so much use of the encoders, any other program one in all.
const PERCENT_EACH: u32 = 6;

/// Captured screens of a video server: one feeds the encoders directly, one stays in the GPU's memory.
const FBC_HARDWARE_ENCODER: u32 = 4;
const FBC_CUDA: u32 = 2;

/// `NVML_NVFBC_SESSION_FLAG_CAPTURE_WITH_WAIT_INFINITE`.
const FBC_BLOCKING: u32 = 8;

export! {
    device fn nvmlDeviceGetEncoderCapacity(kind: u32, capacity: Out<u32>) |gpu| {
        if kind > 2 {
            return Err(Code::INVALID_ARGUMENT);
        }
        needs_encoders(gpu)?;
        capacity.write(100 - gpu.truth()?.encoder_utilization.min(100))
    }

    device fn nvmlDeviceGetEncoderStats(sessions: Out<u32>, fps: Out<u32>, latency: Out<u32>) |gpu| {
        let active = encoder_sessions(gpu)?;
        let mean = |of: fn(&EncoderSession) -> u32| mean(active.iter().map(of));
        sessions.write(active.len() as u32)?;
        fps.write(mean(|session| session.average_fps))?;
        latency.write(mean(|session| session.average_latency))
    }

    device fn nvmlDeviceGetEncoderSessions(count: InOut<u32>, sessions: Array<EncoderSession>) |gpu| {
        race(gpu, &count)?;
        fill_or_count(&count, &sessions, &encoder_sessions(gpu)?)
    }

    device fn nvmlDeviceGetFBCStats(stats: Out<FbcStats>) |gpu| {
        let active = capture_sessions(gpu)?;
        stats.write(FbcStats {
            sessions: active.len() as u32,
            average_fps: mean(active.iter().map(|session| session.average_fps)),
            average_latency: mean(active.iter().map(|session| session.average_latency)),
        })
    }

    device fn nvmlDeviceGetFBCSessions(count: InOut<u32>, sessions: Array<FbcSession>) |gpu| {
        race(gpu, &count)?;
        fill_or_count(&count, &sessions, &capture_sessions(gpu)?)
    }
}

/// The mean over all sessions; without any, NVML says 0.
fn mean(values: impl ExactSizeIterator<Item = u32>) -> u32 {
    let count = values.len() as u32;
    values.sum::<u32>().checked_div(count).unwrap_or(0)
}

fn encoder_sessions(gpu: &Device) -> Result<Vec<EncoderSession>> {
    needs_encoders(gpu)?;
    let is_server = gpu.spec()?.work == WorkKind::Video;
    let mut sessions = Vec::new();
    for process in gpu.processes() {
        let busy = process.encoder_utilization;
        let own = if is_server {
            busy.div_ceil(PERCENT_EACH)
        } else {
            busy.min(1)
        };
        for _ in 0..own {
            let session = sessions.len() as u32 + 1;
            sessions.push(EncoderSession {
                session,
                pid: process.pid,
                vgpu_instance: 0,
                // H.264 and HEVC in turns, and every fourth at twice the rate.
                codec: session % 2,
                width: 1920,
                height: 1080,
                average_fps: if session.is_multiple_of(4) { 60 } else { 30 },
                // The busier the encoders, the longer each frame waits.
                average_latency: 2_400 + 25 * busy,
            });
        }
    }
    Ok(sessions)
}

/// A video server captures two screens; other simulated programs capture none.
fn capture_sessions(gpu: &Device) -> Result<Vec<FbcSession>> {
    if gpu.spec()?.work != WorkKind::Video {
        return Ok(Vec::new());
    }
    let processes = gpu.processes();
    let Some(server) = processes.iter().find(|process| process.encoder_utilization > 0) else {
        return Ok(Vec::new());
    };
    let session = |(display, kind): (u32, u32)| FbcSession {
        session: display + 1,
        pid: server.pid,
        vgpu_instance: 0,
        display,
        kind,
        flags: FBC_BLOCKING,
        most_width: 4096,
        most_height: 4096,
        width: 1920,
        height: 1080,
        average_fps: 60 - 30 * display,
        average_latency: 900 + 300 * display,
    };
    Ok([(0, FBC_HARDWARE_ENCODER), (1, FBC_CUDA)].map(session).to_vec())
}

fn needs_encoders(gpu: &Device) -> Result {
    if gpu.spec()?.engines.encoders > 0 {
        Ok(())
    } else {
        Err(Code::NOT_SUPPORTED)
    }
}
