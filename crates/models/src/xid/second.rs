//! Codes 100 to 172.

use super::{Xid, XidAction, XidCause, XidSeverity};

const UNUSED: &str = "Listed as unused: no current GPU is expected to report it.";

const COPY: &str = "An engine that copies memory reported an error; the application that used it has ended.";

const VIDEO: &str =
    "An engine for images or video reported an error; the application that used it has ended.";

const NVLINK5: &str = "A part of the NVLink hardware reported an error. Whether it is fatal, and on which link, stands in the kernel log.";

catalogue! {
    73;
    100: Warning, Unknown, RestartApplication, "JPEG engine 2 exception" => VIDEO;
    101: Warning, Unknown, RestartApplication, "JPEG engine 3 exception" => VIDEO;
    102: Warning, Unknown, RestartApplication, "JPEG engine 4 exception" => VIDEO;
    103: Warning, Unknown, RestartApplication, "JPEG engine 5 exception" => VIDEO;
    104: Warning, Unknown, RestartApplication, "JPEG engine 6 exception" => VIDEO;
    105: Warning, Unknown, RestartApplication, "JPEG engine 7 exception" => VIDEO;
    106: Info, Operation, None, "Management bus test message" =>
        "Somebody sent a test message over the board management bus.";
    107: Info, Operation, None, "Silent management bus test message" =>
        "Somebody sent a silent test message over the board management bus.";
    108: Warning, Application, None, "NVLink remote translation error" =>
        "An address that came over NVLink could not be translated. Listed as unused.";
    109: Critical, Unknown, ResetGpu, "Context switch timeout" =>
        "The GPU could not switch from one context to another in time.";
    110: Critical, Hardware, ResetGpu, "Security fault" =>
        "The GPU's protection found something that should not happen without faulty hardware. Undo recent \
         changes of hardware and switch the machine off and on.";
    111: Warning, Unknown, ContactVendor, "Bundle error" => UNUSED;
    112: Warning, Unknown, ContactVendor, "Display supervisor error" => UNUSED;
    113: Warning, Unknown, ContactVendor, "DisplayPort link training failed" => UNUSED;
    114: Warning, Unknown, ContactVendor, "Display head underflow" => UNUSED;
    115: Warning, Unknown, ContactVendor, "Display core channel error" => UNUSED;
    116: Warning, Unknown, ContactVendor, "Display window channel error" => UNUSED;
    117: Warning, Unknown, ContactVendor, "Display cursor channel error" => UNUSED;
    118: Warning, Unknown, ContactVendor, "Display head error" => UNUSED;
    119: Critical, Firmware, ResetGpu, "GSP did not answer" =>
        "Firmware on the GPU's system processor did not answer the driver in time. If it recurs after \
         power was off, ask the vendor.";
    120: Critical, Firmware, ResetGpu, "GSP error" =>
        "Firmware on the GPU's system processor reported an error of its own. If it recurs after power was \
         off, ask the vendor.";
    121: Info, Link, None, "Corrected errors on the CPU link" =>
        "The link between GPU and CPU corrected errors, which has no effect. A reset at a convenient time \
         trains the link again.";
    122: Warning, Unknown, ContactVendor, "SPI flash read failed" => UNUSED;
    123: Warning, Unknown, ContactVendor, "SPI flash write failed" => UNUSED;
    124: Warning, Unknown, ContactVendor, "SPI flash erase failed" => UNUSED;
    125: Warning, Unknown, ContactVendor, "InfoROM file system error" => UNUSED;
    126: Warning, Unknown, RestartApplication, "Copy engine 10 exception" => COPY;
    127: Warning, Unknown, RestartApplication, "Copy engine 11 exception" => COPY;
    128: Warning, Unknown, RestartApplication, "Copy engine 12 exception" => COPY;
    129: Warning, Unknown, RestartApplication, "Copy engine 13 exception" => COPY;
    130: Warning, Unknown, RestartApplication, "Copy engine 14 exception" => COPY;
    131: Warning, Unknown, RestartApplication, "Copy engine 15 exception" => COPY;
    132: Warning, Unknown, RestartApplication, "Copy engine 16 exception" => COPY;
    133: Warning, Unknown, RestartApplication, "Copy engine 17 exception" => COPY;
    134: Warning, Unknown, RestartApplication, "Copy engine 18 exception" => COPY;
    135: Warning, Unknown, RestartApplication, "Copy engine 19 exception" => COPY;
    136: Critical, Link, ResetGpu, "Link training failed" =>
        "A connection to another GPU or switch did not come up.";
    137: Warning, Application, None, "Illegal access over NVLink" =>
        "A program used an address of another GPU that it may not use; usually its own fault. Compute \
         Sanitizer finds the line.";
    138: Warning, Unknown, ContactVendor, "Deep learning accelerator error" => UNUSED;
    139: Warning, Unknown, RestartApplication, "Optical flow engine 1 exception" => VIDEO;
    140: Critical, Memory, ResetGpu, "Memory error that escaped repair" =>
        "Uncorrectable memory errors came in such a way that the faulty places could not be marked for \
         repair. If it persists after a reset, ask the vendor.";
    141: Warning, Unknown, None, "CUDA fast path error" =>
        "The short way by which CUDA submits work reported an error.";
    142: Warning, Unknown, ContactVendor, "Video encoder 3 exception" => VIDEO;
    143: Critical, Hardware, ResetGpu, "GPU initialisation failed" =>
        "The GPU reported an error while it was being initialised.";
    144: Critical, Link, ResetGpu, "NVLink 5 SAW error" => NVLINK5;
    145: Critical, Link, ResetGpu, "NVLink 5 RLW error" => NVLINK5;
    146: Critical, Link, ResetGpu, "NVLink 5 TLW error" => NVLINK5;
    147: Critical, Link, ResetGpu, "NVLink 5 TREX error" => NVLINK5;
    148: Critical, Link, ResetGpu, "NVLink 5 NVLPW_CTRL error" => NVLINK5;
    149: Critical, Link, ResetGpu, "NVLink 5 NETIR error" => NVLINK5;
    150: Critical, Link, ResetGpu, "NVLink 5 MSE error" => NVLINK5;
    151: Critical, Operation, RestartVm, "Key rotation failed" =>
        "The keys of a protected channel could not be exchanged for new ones.";
    152: Warning, Unknown, None, "Deep learning accelerator: memory translation" =>
        "The accelerator's memory translation reported an error. Not expected on data centre GPUs.";
    153: Warning, Unknown, None, "Deep learning accelerator: timeout" =>
        "The accelerator did not finish in time. Not expected on data centre GPUs.";
    154: Warning, OtherError, FollowOtherErrors, "Recovery action changed" =>
        "The driver sums up what other errors require: nothing, a drain, a reset or a reboot. Which one \
         stands in the kernel log and is not part of the event.";
    155: Critical, Link, ResetGpu, "NVLink taken down by software" =>
        "A connection went down on purpose, for example to sleep or to be managed.";
    156: Critical, Hardware, ResetGpu, "Faulty unit retired" =>
        "A faulty part of the GPU was set aside; this takes effect with a reset.";
    157: Warning, Hardware, None, "Faulty unit cannot be retired" =>
        "No spare part is left to repair the GPU with. Work can go on, and the same error may come again.";
    158: Critical, Hardware, ResetGpu, "Fatal GPU timeout" =>
        "The GPU did not react in time in a way from which it cannot recover by itself.";
    159: Warning, Link, FollowOtherErrors, "CPU link protocol error" =>
        "The coherent link to the CPU reported an error that is not about data. Without other errors \
         report it to the vendor.";
    160: Warning, Memory, None, "Memory channel retired" => "A faulty memory channel was set aside.";
    161: Warning, Memory, None, "Memory channel cannot be retired" =>
        "A faulty memory channel could not be set aside.";
    162: Info, Power, None, "Power smoothing is back" =>
        "The circuit that smooths the draw of power works again.";
    163: Warning, Power, CheckPowerAndCooling, "Power smoothing is off" =>
        "The circuit that smooths the draw of power was switched off, for heat or after a timeout. After a \
         timeout a reset brings it back.";
    164: Warning, Power, CheckPowerAndCooling, "Power smoothing is nearly worn out" =>
        "The circuit that smooths the draw of power will soon have reached the end of its life.";
    165: Warning, Power, CheckPowerAndCooling, "Power smoothing is worn out" =>
        "The circuit that smooths the draw of power has reached the end of its life; the draw will swing.";
    166: Warning, Operation, CheckConfiguration, "Unencrypted NVLink traffic" =>
        "In confidential computing mode traffic was seen before the link was set up for encryption.";
    167: Critical, Link, ContactVendor, "Fatal PCI Express timeout" =>
        "The GPU's PCI Express interface ran into a timeout that it calls fatal. No action is documented.";
    168: Warning, Memory, CheckConfiguration, "Less GPU memory than usual" =>
        "Errors were found in a protected part of memory. Expected only while ECC is off: switch it on, so \
         that faulty rows can be remapped.";
    169: Critical, Firmware, ContactVendor, "Security controller halted" =>
        "An internal controller of the GPU stopped. No action is documented.";
    170: Warning, Operation, CheckConfiguration, "NVLink interrupt in confidential computing mode" =>
        "The link reported something in confidential computing mode. No action is documented.";
    171: Critical, Memory, FollowOtherErrors, "Uncorrectable DRAM error" =>
        "Says of a 48 that the error was in the GPU's DRAM.";
    172: Critical, Memory, FollowOtherErrors, "Uncorrectable SRAM error" =>
        "Says of a 48 that the error was in the GPU's SRAM, where nothing can be remapped.";
}
