//! One run of a plugin process: without a shell, with only the given environment variables, within a timeout and an
//! output limit.

use std::ffi::OsString;
use std::io;
use std::io::Read;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process_group;
use zeroize::Zeroizing;

/// The output of a plugin that has ended.
pub(super) struct PluginOutput {
    pub(super) success: bool,
    pub(super) stdout: Zeroizing<Vec<u8>>,
    pub(super) stderr: Zeroizing<Vec<u8>>,
}

/// Why a run of a plugin failed.
#[derive(Debug)]
pub(super) enum RunError {
    /// It exceeded the timeout, and was killed.
    Deadline,
    /// It could not be started, or its output could not be read.
    Io(io::Error),
    /// It exceeded the output limit, and was killed.
    OutputLimit,
}

/// Runs `program` with one argument and `input` on standard input, and returns its output. `deadline` is the timeout of
/// the whole run, `limit` that of each output stream in bytes. On an error its process group is killed.
pub(super) fn run(
    program: &Path,
    argument: &str,
    environment: &[(OsString, OsString)],
    input: Vec<u8>,
    deadline: Duration,
    limit: u64,
) -> Result<PluginOutput, RunError> {
    let mut command = Command::new(program);
    command.arg(argument).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A process group of its own: its child processes can be killed with it.
    command.process_group(0);
    let mut child = RunningPlugin { child: command.spawn().map_err(RunError::Io)?, exited: false };
    if let Some(mut stdin) = child.child.stdin.take() {
        // An error is ignored: a plugin may end without reading its input.
        thread::spawn(move || stdin.write_all(&input));
    }
    let (sender, receiver) = mpsc::channel();
    let stdout = child.child.stdout.take().map(|pipe| read_stream(Stream::Stdout, pipe, limit, sender.clone()));
    let stderr = child.child.stderr.take().map(|pipe| read_stream(Stream::Stderr, pipe, limit, sender));
    if stdout.is_none() || stderr.is_none() {
        return Err(RunError::Io(io::ErrorKind::BrokenPipe.into()));
    }
    let mut remaining = RemainingTime { left: deadline };
    let mut output = PluginOutput { success: false, stdout: Zeroizing::default(), stderr: Zeroizing::default() };
    for _ in 0..2 {
        match remaining.receive(&receiver)? {
            (Stream::Stdout, bytes) => output.stdout = bytes,
            (Stream::Stderr, bytes) => output.stderr = bytes,
        }
    }
    output.success = remaining.wait_for_exit(&mut child)?;
    Ok(output)
}

/// A running plugin. If it has not ended when this is dropped, its process group is killed.
struct RunningPlugin {
    child: Child,
    /// Whether it has exited: its process id may be in use again.
    exited: bool,
}

impl Drop for RunningPlugin {
    fn drop(&mut self) {
        if self.exited {
            return;
        }
        // Errors are ignored: the plugin may have ended, while its child processes still run.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Stderr,
    Stdout,
}

/// The content of an output stream; `None` if it exceeded the limit.
type StreamOutput = (Stream, io::Result<Option<Zeroizing<Vec<u8>>>>);

/// Reads an output stream in a thread, to its end or to one byte over `limit`, and sends it.
fn read_stream(stream: Stream, pipe: impl Read + Send + 'static, limit: u64, sender: Sender<StreamOutput>) {
    thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::new());
        let read = pipe.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        let whole = u64::try_from(bytes.len()).is_ok_and(|length| length <= limit);
        // An error is ignored: the receiver is gone after a timeout.
        let _ = sender.send((stream, read.map(|_| whole.then_some(bytes))));
    });
}

/// The remaining timeout. It is counted in waits, since this layer reads no clock.
struct RemainingTime {
    left: Duration,
}

impl RemainingTime {
    /// Waits for the next output stream to end.
    fn receive(&mut self, streams: &Receiver<StreamOutput>) -> Result<(Stream, Zeroizing<Vec<u8>>), RunError> {
        loop {
            match streams.recv_timeout(STREAM_WAIT.min(self.left)) {
                Ok((stream, Ok(Some(bytes)))) => return Ok((stream, bytes)),
                Ok((_, Ok(None))) => return Err(RunError::OutputLimit),
                Ok((_, Err(error))) => return Err(RunError::Io(error)),
                Err(RecvTimeoutError::Disconnected) => return Err(RunError::Io(io::ErrorKind::BrokenPipe.into())),
                Err(RecvTimeoutError::Timeout) => self.take_wait()?,
            }
        }
    }

    /// Waits for the plugin to exit; returns whether its status is success.
    fn wait_for_exit(&mut self, running: &mut RunningPlugin) -> Result<bool, RunError> {
        loop {
            if let Some(status) = running.child.try_wait().map_err(RunError::Io)? {
                running.exited = true;
                return Ok(status.success());
            }
            thread::sleep(EXIT_WAIT);
            self.left = self.left.checked_sub(EXIT_WAIT).ok_or(RunError::Deadline)?;
        }
    }

    /// Subtracts one wait from the timeout.
    fn take_wait(&mut self) -> Result<(), RunError> {
        self.left = self.left.saturating_sub(STREAM_WAIT);
        match self.left.is_zero() {
            true => Err(RunError::Deadline),
            false => Ok(()),
        }
    }
}

const STREAM_WAIT: Duration = Duration::from_millis(50);
const EXIT_WAIT: Duration = Duration::from_millis(1);
