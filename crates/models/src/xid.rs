//! What the driver's error numbers mean, and what to do about them.
//!
//! Facts come from NVIDIA's Xid catalogue (<https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html>):
//! which codes there are, what sets them off, and the immediate action, which `action` follows. Codes that it calls
//! unused are named after its mnemonics. Severity and likely cause are this project's reading of it; so are the words.

use serde::{Deserialize, Serialize};

/// A table with a line or two for each code: `code: severity, cause, action, "name" => "meaning";`
macro_rules! catalogue {
    ($count:literal; $($code:literal: $severity:ident, $cause:ident, $action:ident, $name:literal => $meaning:expr;)*) => {
        pub(super) const TABLE: [Xid; $count] = [$(Xid {
            code: $code,
            name: $name,
            meaning: $meaning,
            severity: XidSeverity::$severity,
            cause: XidCause::$cause,
            action: XidAction::$action,
        }),*];
    };
}

mod first;
mod second;
#[cfg(test)]
mod tests;

/// What one error number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Xid {
    /// The number in `NVRM: Xid (…): 79`.
    pub code: u64,
    /// A short name.
    pub name: &'static str,
    /// What happened, for a person.
    pub meaning: &'static str,
    /// How bad it is.
    pub severity: XidSeverity,
    /// Where to look first.
    pub cause: XidCause,
    /// What to do first.
    pub action: XidAction,
}

/// How bad an error is for the GPU and for those who use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum XidSeverity {
    /// Nobody has to do anything because of it alone.
    Info,
    /// An application suffered, or something wears out; the GPU can be used.
    Warning,
    /// The GPU should not be given new work before something was done.
    Critical,
    /// The GPU cannot be used.
    Fatal,
}

/// Where the cause most likely lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum XidCause {
    /// The program that ran on the GPU.
    Application,
    /// The driver, or how it was installed.
    Driver,
    /// Firmware that runs on the GPU.
    Firmware,
    /// The GPU or its board.
    Hardware,
    /// The GPU's memory.
    Memory,
    /// A connection: PCI Express, NVLink, or the link to the CPU.
    Link,
    /// Power supply or cooling.
    Power,
    /// What somebody did or configured on purpose.
    Operation,
    /// Another error, which comes with a number of its own.
    OtherError,
    /// Not known.
    Unknown,
}

/// What to do first. What remains afterwards is a case for the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum XidAction {
    /// Nothing.
    None,
    /// Look at the errors that came with it, and follow those.
    FollowOtherErrors,
    /// Start the application again; if it recurs, look for the fault in the application.
    RestartApplication,
    /// Move the work away and reset the GPU.
    ResetGpu,
    /// Restart the machine, not just the guest on it.
    RebootNode,
    /// Restart the virtual machine.
    RestartVm,
    /// Take the GPU out of service and run the vendor's field diagnostics, for it may have to be replaced.
    DrainAndDiagnose,
    /// Bring driver and firmware to versions that fit each other.
    UpdateDriver,
    /// Check power cables, power supply and cooling.
    CheckPowerAndCooling,
    /// Check how the feature concerned is configured.
    CheckConfiguration,
    /// Ask the vendor, with the output of `nvidia-bug-report.sh`.
    ContactVendor,
}

/// Gives each word of an enum the name that it has on the wire.
macro_rules! named {
    ($($name:ident: $($variant:ident $text:literal),*;)*) => { $(
        impl $name {
            /// The name used on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    )* };
}

named! {
    XidSeverity:
        Info "info", Warning "warning", Critical "critical", Fatal "fatal";
    XidCause:
        Application "application", Driver "driver", Firmware "firmware", Hardware "hardware", Memory "memory",
        Link "link", Power "power", Operation "operation", OtherError "other_error", Unknown "unknown";
    XidAction:
        None "none", FollowOtherErrors "follow_other_errors", RestartApplication "restart_application",
        ResetGpu "reset_gpu", RebootNode "reboot_node", RestartVm "restart_vm",
        DrainAndDiagnose "drain_and_diagnose", UpdateDriver "update_driver",
        CheckPowerAndCooling "check_power_and_cooling", CheckConfiguration "check_configuration",
        ContactVendor "contact_vendor";
}

/// What is said of a code that the documents do not have.
const NOT_DOCUMENTED: Xid = Xid {
    code: 0,
    name: "Not documented",
    meaning: "The documentation this agent was built with has no such code.",
    severity: XidSeverity::Warning,
    cause: XidCause::Unknown,
    action: XidAction::ContactVendor,
};

impl Xid {
    /// What `code` means; nothing if the documents do not say.
    pub fn documented(code: u64) -> Option<&'static Self> {
        [&first::TABLE[..], &second::TABLE[..]]
            .into_iter()
            .find_map(|table| {
                table
                    .binary_search_by_key(&code, |xid| xid.code)
                    .ok()
                    .map(|place| &table[place])
            })
    }

    /// What `code` means, or an entry that says that this is not documented.
    pub fn of(code: u64) -> Self {
        Self::documented(code).copied().unwrap_or(Self {
            code,
            ..NOT_DOCUMENTED
        })
    }

    /// All documented codes, in their order.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        first::TABLE.iter().chain(&second::TABLE)
    }
}
