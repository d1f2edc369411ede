//! The progress bar on a terminal, which is out of the way while anything else is printed.

use std::sync::OnceLock;

use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;

/// The bar, while there is one.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// Begins to show the bar.
pub(super) fn show() -> &'static ProgressBar {
    BAR.get_or_init(|| {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(5));
        // A template that cannot be read leaves the bar as it is by default.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        bar
    })
}

/// Does `print` while the bar is out of the way.
pub(super) fn aside<T>(print: impl FnOnce() -> T) -> T {
    match BAR.get() {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// Takes the bar away.
pub(super) fn end() {
    BAR.get().iter().for_each(|bar| bar.finish_and_clear());
}

const TEMPLATE: &str = "[{bar:30}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
