//! Process hardening: no core dump of this process, and no debugger of another user attached to it.

#[cfg(target_os = "linux")]
use rustix::process::DumpableBehavior;
#[cfg(unix)]
use rustix::process::Resource;
#[cfg(unix)]
use rustix::process::Rlimit;

/// Switches core dumps off for the life of the process.
///
/// # Errors
/// Those of the operating system.
#[cfg(unix)]
pub(super) fn no_core_dumps() -> std::io::Result<()> {
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // core(5): a dump that is piped to a program ignores the limit, but not this flag.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn no_core_dumps() -> std::io::Result<()> {
    Ok(())
}
