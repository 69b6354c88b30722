//! Codes 1 to 99.

use super::{Xid, XidAction, XidCause, XidSeverity};

const UNUSED: &str = "Listed as unused: no current GPU is expected to report it.";

const COPY: &str = "An engine that copies memory reported an error; the application that used it has ended.";

const VIDEO: &str =
    "An engine for images or video reported an error; the application that used it has ended.";

catalogue! {
    99;
    1: Warning, Unknown, ContactVendor, "Command FIFO: bad method" => UNUSED;
    2: Warning, Unknown, ContactVendor, "Command FIFO: software method" => UNUSED;
    3: Warning, Unknown, ContactVendor, "Command FIFO: unknown method" => UNUSED;
    4: Warning, Unknown, ContactVendor, "Command FIFO: channel busy" => UNUSED;
    5: Warning, Unknown, ContactVendor, "Command FIFO: runout overflow" => UNUSED;
    6: Warning, Unknown, ContactVendor, "Command FIFO: parse error" => UNUSED;
    7: Warning, Unknown, ContactVendor, "Command FIFO: page table entry error" => UNUSED;
    8: Warning, Unknown, RestartApplication, "Channel idle timeout" =>
        "Work in a channel did not finish in time; the driver ended what was running there.";
    9: Warning, Unknown, ContactVendor, "Graphics engine: instance error" => UNUSED;
    10: Warning, Unknown, ContactVendor, "Graphics engine: single step" => UNUSED;
    11: Warning, Application, RestartApplication, "Invalid command stream" =>
        "A program sent the GPU a command for hardware that is not there, or the stream was damaged on its \
         way.";
    12: Warning, Unknown, ContactVendor, "Graphics engine: software method" => UNUSED;
    13: Warning, Application, RestartApplication, "Graphics engine exception" =>
        "A kernel did what it may not do, usually an access beyond the end of an array; seldom a fault of \
         driver or hardware. Compute Sanitizer finds the line.";
    14: Info, Operation, None, "Injected error" =>
        "Somebody injected an error from user space to test how it is handled.";
    15: Warning, Unknown, ContactVendor, "Display: scanline timeout" => UNUSED;
    16: Warning, Unknown, ContactVendor, "Display: vertical blank timeout" => UNUSED;
    17: Warning, Unknown, ContactVendor, "Parameter error" => UNUSED;
    18: Warning, Unknown, ContactVendor, "Bus master timeout" => UNUSED;
    19: Warning, Unknown, ContactVendor, "Display: missed notifier" => UNUSED;
    20: Warning, Unknown, ContactVendor, "MPEG engine: software method" => UNUSED;
    21: Warning, Unknown, ContactVendor, "Motion estimation engine: software method" => UNUSED;
    22: Warning, Unknown, ContactVendor, "Video processor: software method" => UNUSED;
    23: Warning, Unknown, ContactVendor, "Error logging switched on" => UNUSED;
    24: Warning, Unknown, ContactVendor, "Graphics engine: semaphore timeout" => UNUSED;
    25: Warning, Application, RestartApplication, "Illegal command stream" =>
        "The stream of commands contained a notification that is not allowed.";
    26: Warning, Unknown, ContactVendor, "Command FIFO: frame buffer timeout" => UNUSED;
    27: Warning, Unknown, ContactVendor, "Video processor exception" => UNUSED;
    28: Warning, Unknown, ContactVendor, "Second video processor exception" => UNUSED;
    29: Warning, Unknown, ContactVendor, "Bitstream processor exception" => UNUSED;
    30: Warning, Unknown, ContactVendor, "Bad address access" => UNUSED;
    31: Warning, Application, RestartApplication, "GPU memory page fault" =>
        "A program used a GPU address that is not mapped, usually by a fault of its own; seldom one of \
         driver or hardware. Compute Sanitizer finds the line.";
    32: Warning, Link, RestartApplication, "Command stream DMA error" =>
        "The controller that fetches commands over PCI Express received something invalid; more often the \
         quality of the connection than the application.";
    33: Warning, Unknown, ContactVendor, "Security engine error" => UNUSED;
    34: Warning, Unknown, ContactVendor, "Video decoder: variable-length decode error" => UNUSED;
    35: Warning, Unknown, ContactVendor, "Video decoder: picture decode error" => UNUSED;
    36: Warning, Unknown, ContactVendor, "Video decoder: post-processing error" => UNUSED;
    37: Warning, Firmware, None, "Context switch firmware: unknown method" =>
        "The firmware that switches contexts was asked for something that it does not implement.";
    38: Warning, Firmware, None, "Context switch firmware: watchdog" =>
        "The firmware that switches contexts was stopped by its watchdog.";
    39: Warning, Unknown, RestartApplication, "Copy engine 0 exception" => COPY;
    40: Warning, Unknown, RestartApplication, "Copy engine 1 exception" => COPY;
    41: Warning, Unknown, RestartApplication, "Copy engine 2 exception" => COPY;
    42: Warning, Unknown, ContactVendor, "Video image compositor error" => UNUSED;
    43: Warning, Application, None, "Application stopped by a fault" =>
        "A program ran into a software fault and had to end. The GPU is well.";
    44: Warning, Unknown, None, "Fault during a context switch" =>
        "The graphics engine reported a fault while it was switched from one context to another.";
    45: Info, OtherError, FollowOtherErrors, "Channels removed" =>
        "The driver cleared away what a program left on the GPU: it was ended, or another error came \
         before. Without another error restart the fabric manager, where there is one.";
    46: Critical, Hardware, ResetGpu, "GPU timeout" =>
        "The GPU did not answer the driver in time and no longer works on what it was given.";
    47: Warning, Unknown, ContactVendor, "Video encoder 0 error" => UNUSED;
    48: Critical, Memory, ResetGpu, "Uncorrectable memory error" =>
        "ECC found an error that it cannot correct. Together with 63 or 64 drain the GPU first; if \
         `nvidia-smi -q` says that the SRAM threshold is exceeded, run field diagnostics.";
    49: Warning, Unknown, ContactVendor, "Quiet running: level fixed by configuration" => UNUSED;
    50: Warning, Unknown, ContactVendor, "Quiet running: level changed after an error" => UNUSED;
    51: Warning, Unknown, ContactVendor, "Quiet running: stress test failed" => UNUSED;
    52: Warning, Unknown, ContactVendor, "Quiet running: level changed for temperature" => UNUSED;
    53: Warning, Unknown, ContactVendor, "Quiet running: clocks lowered for temperature" => UNUSED;
    54: Critical, Power, CheckPowerAndCooling, "Auxiliary power is not connected" =>
        "The board does not get power from its own connector.";
    55: Warning, Unknown, ContactVendor, "Quiet running: temperature not readable" => UNUSED;
    56: Warning, Unknown, ContactVendor, "Display channel exception" => UNUSED;
    57: Warning, Unknown, ContactVendor, "Frame buffer link training failed" => UNUSED;
    58: Warning, Unknown, ContactVendor, "Frame buffer memory error" => UNUSED;
    59: Warning, Unknown, ContactVendor, "Power management controller error" => UNUSED;
    60: Warning, Application, RestartApplication, "Video or security processor exception" =>
        "The processor for protected video met an error in what it was given.";
    61: Warning, Firmware, ContactVendor, "Power management controller breakpoint" =>
        "Firmware of the GPU's internal controller stopped at an internal check, which is not fatal by \
         itself. Newer drivers do not use this code.";
    62: Critical, Firmware, ResetGpu, "Power management controller halted" =>
        "The GPU's internal controller stopped. Clocks, power and temperature are no longer looked after \
         until a reset.";
    63: Info, Memory, None, "Memory repair recorded" =>
        "A faulty row was noted for remapping, or a page for retirement; the repair takes effect at the \
         next reset.";
    64: Critical, Memory, ResetGpu, "Memory repair failed" =>
        "A faulty row could not be remapped, or a page not retired. If it is seen again after a reset, the \
         GPU is to be replaced.";
    65: Warning, Unknown, ContactVendor, "Video encoder 1 error" => UNUSED;
    66: Warning, Driver, None, "Illegal register access" => "The driver used a register that it may not use.";
    67: Warning, Driver, None, "Illegal access by the driver" =>
        "Firmware refused an access of the driver when it checked it.";
    68: Warning, Unknown, RestartApplication, "Video decoder 0 exception" => VIDEO;
    69: Warning, Application, RestartApplication, "Graphics engine class error" =>
        "A program sent the graphics engine a command with a value that its class does not allow.";
    70: Warning, Unknown, RestartApplication, "Copy engine 3 exception" => COPY;
    71: Warning, Unknown, RestartApplication, "Copy engine 4 exception" => COPY;
    72: Warning, Unknown, RestartApplication, "Copy engine 5 exception" => COPY;
    73: Warning, Unknown, ContactVendor, "Video encoder 2 error" => UNUSED;
    74: Critical, Link, ResetGpu, "NVLink error" =>
        "A connection to another GPU or switch failed. The device at the other end may be the cause: look \
         for its errors as well, and at `nvidia-smi nvlink -e`.";
    75: Warning, Unknown, RestartApplication, "Copy engine 6 exception" => COPY;
    76: Warning, Unknown, RestartApplication, "Copy engine 7 exception" => COPY;
    77: Warning, Unknown, RestartApplication, "Copy engine 8 exception" => COPY;
    78: Warning, Driver, UpdateDriver, "vGPU cannot be started" =>
        "Host and guest drivers, or driver and licence, do not fit each other.";
    79: Fatal, Link, RebootNode, "GPU fell off the bus" =>
        "The driver cannot reach the GPU over PCI Express: the link went down, the GPU lost power, or it \
         is broken. Nothing can be read from it before the machine was restarted.";
    80: Warning, Link, RestartApplication, "Command stream checksum error" =>
        "Commands reached the GPU with a wrong checksum: the data was damaged on its way.";
    81: Warning, Unknown, ContactVendor, "VGA subsystem error" => UNUSED;
    82: Warning, Unknown, RestartApplication, "JPEG engine 0 exception" => VIDEO;
    83: Warning, Unknown, RestartApplication, "Video decoder 1 exception" => VIDEO;
    84: Warning, Unknown, RestartApplication, "Video decoder 2 exception" => VIDEO;
    85: Warning, Unknown, RestartApplication, "Copy engine 9 exception" => COPY;
    86: Warning, Unknown, RestartApplication, "Optical flow engine 0 exception" => VIDEO;
    87: Warning, Unknown, ContactVendor, "Telemetry report" => UNUSED;
    88: Warning, Unknown, RestartApplication, "Video decoder 3 exception" => VIDEO;
    89: Warning, Unknown, RestartApplication, "Video decoder 4 exception" => VIDEO;
    90: Warning, Unknown, ContactVendor, "L2 cache error" => UNUSED;
    91: Warning, Unknown, ContactVendor, "Reserved" => UNUSED;
    92: Warning, Memory, None, "Many corrected memory errors" =>
        "ECC corrects errors more often than usual. No data was lost; the memory is worth watching.";
    93: Info, Operation, None, "InfoROM write limit reached" =>
        "The limit that was set for writing to the board's own memory is reached, so nothing more is \
         recorded there.";
    94: Warning, Memory, RestartApplication, "Contained memory error" =>
        "An uncorrectable error hit one application, which has to be started again; others are not \
         affected. Reset the GPU when convenient.";
    95: Critical, Memory, ResetGpu, "Uncontained memory error" =>
        "An uncorrectable error may have hit several applications. Nothing new should start before the GPU \
         was reset.";
    96: Warning, Unknown, RestartApplication, "Video decoder 5 exception" => VIDEO;
    97: Warning, Unknown, RestartApplication, "Video decoder 6 exception" => VIDEO;
    98: Warning, Unknown, RestartApplication, "Video decoder 7 exception" => VIDEO;
    99: Warning, Unknown, RestartApplication, "JPEG engine 1 exception" => VIDEO;
}
