//! The prompt for a passphrase or PIN: nothing is echoed, and every way out restores the terminal, signals included.
//!
//! Invariant: while the terminal does not echo, no signal that this program can catch ends or stops it before the
//! terminal echoes again. Once no prompt is open, each signal does what it does by default.

#[cfg(unix)]
use std::fs::File;
#[cfg(unix)]
use std::fs::OpenOptions;
use std::io;
#[cfg(unix)]
use std::io::ErrorKind;
#[cfg(unix)]
use std::io::Read as _;
#[cfg(unix)]
use std::io::Write as _;
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::OnceLock;
#[cfg(unix)]
use std::sync::atomic::AtomicBool;
#[cfg(unix)]
use std::sync::atomic::Ordering;

#[cfg(unix)]
use rustix::event::PollFd;
#[cfg(unix)]
use rustix::event::PollFlags;
#[cfg(unix)]
use rustix::event::poll;
#[cfg(unix)]
use rustix::termios::LocalModes;
#[cfg(unix)]
use rustix::termios::OptionalActions;
#[cfg(unix)]
use rustix::termios::Termios;
#[cfg(unix)]
use rustix::termios::tcgetattr;
#[cfg(unix)]
use rustix::termios::tcsetattr;
use zeroize::Zeroizing;

#[cfg(unix)]
use super::interrupt;
#[cfg(unix)]
use super::signals::SignalWatch;
#[cfg(unix)]
use super::signals::signal;

/// Shows `text` at the terminal and reads one line without echo, as bytes and without its line end.
///
/// # Errors
/// What the operating system says; `InvalidInput` for a line of more than `longest` bytes.
#[cfg(unix)]
pub(super) fn ask(text: &str, longest: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let terminal = &OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    // In this order: the terminal echoes again before signals are let through.
    let signals = HeldSignals::begin()?;
    let hidden = Hidden::of(terminal)?;
    let show = |text: &str| (&*terminal).write_all(text.as_bytes());
    show(text)?;
    let mut line = Zeroizing::new(Vec::with_capacity(longest.saturating_add(PART)));
    loop {
        while let Some(signal) = signals.next() {
            // What was typed and not read goes: a shell would show it. A terminal that is gone has nothing to restore.
            drop(hidden.restore(OptionalActions::Flush));
            if signal != signal::SIGCONT {
                drop(show("\n"));
                // Ends the program, or stops it until it is continued.
                interrupt::end(signal);
            }
            hidden.hide()?;
            signals.0.signals.forget(signal::SIGCONT);
            line.clear();
            show(text)?;
        }
        if signals.or_input(terminal)? && read(terminal, &mut line)? {
            return Ok(line);
        }
        if line.len() > longest {
            return Err(io::Error::new(ErrorKind::InvalidInput, format!("it is longer than {longest} bytes")));
        }
    }
}

/// As above, where there are no signals.
#[cfg(not(unix))]
pub(super) fn ask(text: &str, _: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    rpassword::prompt_password(text).map(|text| Zeroizing::new(text.into_bytes()))
}

/// Appends what was typed to `line`; whether the line is complete.
#[cfg(unix)]
fn read(mut terminal: &File, line: &mut Vec<u8>) -> io::Result<bool> {
    let mut part = Zeroizing::new([0; PART]);
    let count = terminal.read(part.as_mut())?;
    let typed = part.get(..count).unwrap_or_default();
    let end = typed.iter().position(|byte| *byte == b'\n');
    line.extend_from_slice(typed.get(..end.unwrap_or(count)).unwrap_or_default());
    match (end, count, line.is_empty()) {
        // Ctrl-D with nothing typed before it, or a terminal that has gone away.
        (None, 0, true) => Err(io::Error::new(ErrorKind::UnexpectedEof, "nothing was typed")),
        (None, 0, false) | (Some(_), ..) => Ok(true),
        (None, ..) => Ok(false),
    }
}

/// A terminal that echoes nothing but the line end, until this is dropped.
#[cfg(unix)]
struct Hidden<'a> {
    before: Termios,
    terminal: &'a File,
}

#[cfg(unix)]
impl Hidden<'_> {
    fn hide(&self) -> io::Result<()> {
        let mut silent = self.before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHOE | LocalModes::ECHOK);
        silent.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        Ok(tcsetattr(self.terminal, OptionalActions::Now, &silent)?)
    }

    fn restore(&self, unread: OptionalActions) -> io::Result<()> {
        Ok(tcsetattr(self.terminal, unread, &self.before)?)
    }
}

#[cfg(unix)]
impl<'a> Hidden<'a> {
    fn of(terminal: &'a File) -> io::Result<Self> {
        let hidden = Self { before: tcgetattr(terminal)?, terminal };
        hidden.hide()?;
        Ok(hidden)
    }
}

#[cfg(unix)]
impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        drop(self.restore(OptionalActions::Now));
    }
}

/// The signals that a prompt acts on, and whether each does what it does by default, as it does while no prompt is open.
#[cfg(unix)]
struct PromptSignals {
    default: Arc<AtomicBool>,
    signals: SignalWatch,
}

#[cfg(unix)]
static SIGNALS: OnceLock<PromptSignals> = OnceLock::new();

#[cfg(unix)]
impl PromptSignals {
    fn begin() -> io::Result<Self> {
        let default = Arc::new(AtomicBool::new(true));
        // Those that end the program are watched for all the time.
        let of = |signal| (!interrupt::ENDING.contains(&signal)).then(|| Arc::clone(&default));
        let signals = SignalWatch::begin(CAUGHT.map(|signal| (signal, of(signal))))?;
        signals.woken().set_nonblocking(true)?;
        Ok(Self { default, signals })
    }
}

/// Signals are held back, to be acted on by the prompt, until this is dropped.
#[cfg(unix)]
struct HeldSignals(&'static PromptSignals);

#[cfg(unix)]
impl HeldSignals {
    fn begin() -> io::Result<Self> {
        let known = match SIGNALS.get() {
            Some(known) => known,
            None => {
                let begun = PromptSignals::begin()?;
                SIGNALS.get_or_init(|| begun)
            }
        };
        known.signals.forget_all();
        known.default.store(false, Ordering::SeqCst);
        interrupt::leave_to_prompt();
        Ok(Self(known))
    }

    /// A signal that has come.
    fn next(&self) -> Option<i32> {
        self.0.signals.next()
    }

    /// Waits for a signal or for input; whether there is input.
    fn or_input(&self, terminal: &File) -> io::Result<bool> {
        let (mut woken, all) = (self.0.signals.woken(), PollFlags::IN | PollFlags::HUP | PollFlags::ERR);
        let mut sources = [PollFd::new(terminal, PollFlags::IN), PollFd::new(woken, PollFlags::IN)];
        match poll(&mut sources, None) {
            Ok(_) => (),
            Err(rustix::io::Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let [input, signal] = sources.map(|source| source.revents().intersects(all));
        if signal {
            // One byte for each signal; which they were stands in the flags.
            drop(woken.read(&mut [0; PART]));
            return Ok(false);
        }
        Ok(input)
    }
}

#[cfg(unix)]
impl Drop for HeldSignals {
    fn drop(&mut self) {
        self.0.default.store(true, Ordering::SeqCst);
        interrupt::act_again();
        // What came after the last look is not lost.
        while let Some(signal) = self.next() {
            interrupt::end(signal);
        }
    }
}

/// The signals that a person at a terminal, a shell, a supervisor and a terminal that goes away send; those that end the
/// program first. SIGCONT: a shell may have changed the terminal while the program was stopped.
#[cfg(unix)]
const CAUGHT: [i32; 6] =
    [signal::SIGTERM, signal::SIGHUP, signal::SIGQUIT, signal::SIGINT, signal::SIGTSTP, signal::SIGCONT];

/// How many bytes are read at a time.
#[cfg(unix)]
const PART: usize = 256;
