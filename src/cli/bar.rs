//! The progress bar on a terminal. It is hidden while anything else is printed.

use std::sync::OnceLock;

use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;

/// The progress bar, once it was shown.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// Shows the progress bar.
pub(super) fn show() -> &'static ProgressBar {
    BAR.get_or_init(|| {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(5));
        // If the template does not parse, the bar keeps its default style.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        bar
    })
}

/// Runs `print` while the bar is hidden.
pub(super) fn hide_while<T>(print: impl FnOnce() -> T) -> T {
    match BAR.get() {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// Removes the bar.
pub(super) fn end() {
    BAR.get().iter().for_each(|bar| bar.finish_and_clear());
}

const TEMPLATE: &str = "[{bar:30}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
