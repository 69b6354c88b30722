//! Initialisation and shutdown, counted.

use super::code::Code;
use super::ffi::export;
use crate::world;

export! {
    initialising fn nvmlInit | nvmlInit_v2 () |call| {
        start(call)
    }

    initialising fn nvmlInitWithFlags(_flags: u32) |call| {
        start(call)
    }

    waiting fn nvmlShutdown() |call| {
        call.pass(None)?;
        world::shut_down();
        Ok(())
    }
}

fn start(call: &super::call::Call) -> super::code::Result {
    call.pass(None)?;
    if let Some(code) = call.world.profile.driver.init_error {
        return Err(Code(code));
    }
    world::initialise(std::sync::Arc::clone(&call.world));
    Ok(())
}
