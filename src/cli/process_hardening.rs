//! What is in memory stays there: no core dump of this process, and no debugger of another user on it.

#[cfg(target_os = "linux")]
use rustix::process::DumpableBehavior;
#[cfg(unix)]
use rustix::process::Resource;
#[cfg(unix)]
use rustix::process::Rlimit;

/// Switches core dumps off, for good.
///
/// # Errors
/// What the operating system says.
#[cfg(unix)]
pub(super) fn no_core_dumps() -> std::io::Result<()> {
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // core(5): the limit is not heeded where dumps go to a program. That the process may not be dumped is.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn no_core_dumps() -> std::io::Result<()> {
    Ok(())
}
