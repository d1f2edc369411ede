//! The prompt for a passphrase or PIN: no echo, and the terminal is restored on every exit path, including signals.
//!
//! Invariant: no signal that can be caught ends or stops the program while the terminal does not echo: the echo is
//! switched on first. While no prompt is open, each signal has its default action.

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
use rustix::termios::QueueSelector;
#[cfg(unix)]
use rustix::termios::Termios;
#[cfg(unix)]
use rustix::termios::tcflush;
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
/// Those of the operating system; `InvalidInput` for a line of more than `longest` bytes.
#[cfg(unix)]
pub(super) fn ask(text: &str, longest: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let terminal = &OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    // The order matters: on return the terminal is restored before signals are released.
    let signals = HeldSignals::begin()?;
    let hidden = EchoOff::of(terminal)?;
    let show = |text: &str| (&*terminal).write_all(text.as_bytes());
    show(text)?;
    let mut line = Zeroizing::new(Vec::with_capacity(longest.saturating_add(READ_SIZE)));
    loop {
        while let Some(signal) = signals.next() {
            // Discard unread input: a shell would show it. An error means that the terminal is gone.
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
        if signals.wait_for_input(terminal)? && read(terminal, &mut line)? {
            return Ok(line);
        }
        if line.len() > longest {
            return Err(io::Error::new(ErrorKind::InvalidInput, format!("it is longer than {longest} bytes")));
        }
    }
}

/// As above, on a system without signals.
#[cfg(not(unix))]
pub(super) fn ask(text: &str, _: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    rpassword::prompt_password(text).map(|text| Zeroizing::new(text.into_bytes()))
}

/// Discards what was typed at the terminal of standard input and not read yet: it answers no question that was asked later.
///
/// # Errors
/// Those of the operating system.
#[cfg(unix)]
pub(super) fn discard_typed() -> io::Result<()> {
    Ok(tcflush(io::stdin(), QueueSelector::IFlush)?)
}

/// As above, on a system where that cannot be done.
#[cfg(not(unix))]
pub(super) fn discard_typed() -> io::Result<()> {
    Ok(())
}

/// Appends the typed bytes to `line`. Returns whether the line is complete.
#[cfg(unix)]
fn read(mut terminal: &File, line: &mut Vec<u8>) -> io::Result<bool> {
    let mut part = Zeroizing::new([0; READ_SIZE]);
    let count = terminal.read(part.as_mut())?;
    let typed = part.get(..count).unwrap_or_default();
    let end = typed.iter().position(|byte| *byte == b'\n');
    line.extend_from_slice(typed.get(..end.unwrap_or(count)).unwrap_or_default());
    match (end, count, line.is_empty()) {
        // Ctrl-D on an empty line, or a terminal that was closed.
        (None, 0, true) => Err(io::Error::new(ErrorKind::UnexpectedEof, "nothing was typed")),
        (None, 0, false) | (Some(_), ..) => Ok(true),
        (None, ..) => Ok(false),
    }
}

/// Switches the terminal's echo off, except for the line end, until this is dropped.
#[cfg(unix)]
struct EchoOff<'a> {
    before: Termios,
    terminal: &'a File,
}

#[cfg(unix)]
impl EchoOff<'_> {
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
impl<'a> EchoOff<'a> {
    fn of(terminal: &'a File) -> io::Result<Self> {
        let hidden = Self { before: tcgetattr(terminal)?, terminal };
        hidden.hide()?;
        Ok(hidden)
    }
}

#[cfg(unix)]
impl Drop for EchoOff<'_> {
    fn drop(&mut self) {
        drop(self.restore(OptionalActions::Now));
    }
}

/// The signals that a prompt handles, and the flag for their default action, which is set while no prompt is open.
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
        // `interrupt` watches the signals that end the program all the time, so they need no default action here.
        let of = |signal| (!interrupt::ENDING.contains(&signal)).then(|| Arc::clone(&default));
        let signals = SignalWatch::begin(CAUGHT.map(|signal| (signal, of(signal))))?;
        signals.woken().set_nonblocking(true)?;
        Ok(Self { default, signals })
    }
}

/// Holds signals back for the prompt to handle, until this is dropped.
#[cfg(unix)]
struct HeldSignals(&'static PromptSignals);

#[cfg(unix)]
impl HeldSignals {
    fn begin() -> io::Result<Self> {
        interrupt::begin();
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

    /// The next pending signal.
    fn next(&self) -> Option<i32> {
        self.0.signals.next()
    }

    /// Waits for a signal or for input. Returns whether there is input.
    fn wait_for_input(&self, terminal: &File) -> io::Result<bool> {
        let (mut woken, all) = (self.0.signals.woken(), PollFlags::IN | PollFlags::HUP | PollFlags::ERR);
        let mut sources = [PollFd::new(terminal, PollFlags::IN), PollFd::new(woken, PollFlags::IN)];
        match poll(&mut sources, None) {
            Ok(_) => (),
            Err(rustix::io::Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let [input, signal] = sources.map(|source| source.revents().intersects(all));
        if signal {
            // The pipe holds one byte for each signal; the flags say which ones.
            drop(woken.read(&mut [0; READ_SIZE]));
            return Ok(false);
        }
        Ok(input)
    }
}

#[cfg(unix)]
impl Drop for HeldSignals {
    fn drop(&mut self) {
        self.0.default.store(true, Ordering::SeqCst);
        interrupt::take_back_from_prompt();
        // Handle signals that arrived after the last check.
        while let Some(signal) = self.next() {
            interrupt::end(signal);
        }
    }
}

/// The signals of job control, of a closed terminal and of a supervisor; the ones that end the program come first.
/// SIGCONT is among them because a shell may have changed the terminal while the program was stopped.
#[cfg(unix)]
const CAUGHT: [i32; 6] =
    [signal::SIGTERM, signal::SIGHUP, signal::SIGQUIT, signal::SIGINT, signal::SIGTSTP, signal::SIGCONT];

/// The number of bytes of one read.
#[cfg(unix)]
const READ_SIZE: usize = 256;
