//! The node and its driver.

use super::code::Code;
use super::ffi::{CharBuf, Out, Tagged, export};
use super::layout::{DriverBranch, fixed};
use crate::world::World;

/// How clients recognise the simulator: the NVML version ends in this.
const VERSION_SUFFIX: &str = "-sim";

export! {
    global fn nvmlSystemGetDriverVersion(version: CharBuf, length: u32) |call| {
        version.write(length, call.world.profile.driver.version.as_bytes())
    }

    global fn nvmlSystemGetNVMLVersion(version: CharBuf, length: u32) |call| {
        let driver = &call.world.profile.driver;
        let text = format!("{}.{}{VERSION_SUFFIX}", driver.cuda / 1000, driver.version);
        version.write(length, text.as_bytes())
    }

    global fn nvmlSystemGetCudaDriverVersion | nvmlSystemGetCudaDriverVersion_v2 (version: Out<i32>) |call| {
        version.write(call.world.profile.driver.cuda)
    }

    global fn nvmlSystemGetDriverBranch(info: Tagged, length: u32) |call| {
        let info = info.of::<DriverBranch>()?;
        let major = call.world.profile.driver.version.split('.').next().unwrap_or_default();
        let text = format!("r{major}_00");
        if text.len() >= length as usize {
            return Err(Code::INSUFFICIENT_SIZE);
        }
        info.write(DriverBranch { branch: fixed(&text), ..info.read()? })
    }

    global fn nvmlSystemGetProcessName(pid: u32, name: CharBuf, length: u32) |call| {
        let values = call.values();
        let text = values.and_then(|values| values.process_name.as_ref()).map(String::as_bytes);
        let bytes = values.and_then(|values| values.process_name_bytes.as_deref());
        let said = bytes.or(text).map(<[u8]>::to_vec);
        let found = said.or_else(|| process_name(&call.world, pid)).ok_or(Code::NOT_FOUND)?;
        // Unlike other strings, this one is cut to the room there is.
        let room = (length as usize).saturating_sub(1).min(found.len());
        name.write(length, &found[..room])
    }
}

/// The name of a process: of a simulated one, or of a real one that a fault may have put on a GPU.
fn process_name(world: &World, pid: u32) -> Option<Vec<u8>> {
    let now = world.clock.now();
    let mut gpus = 0..world.engine.len();
    if let Some(name) = gpus.find_map(|gpu| world.engine.process_name(gpu, pid, now)) {
        return Some(name.into());
    }
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let program = command.split(|byte| *byte == 0).next()?;
    Some(program.to_vec()).filter(|program| !program.is_empty())
}
