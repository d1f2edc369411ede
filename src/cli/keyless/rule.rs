//! The log rule of the command line, also as cosign spells it.

use bulla::trust::LogRule;
use bulla::trust::SigningTimeRule;

use crate::cli::args::KeylessArgs;
use crate::cli::render;

/// The log rule of the options. A note says what the options of cosign mean.
pub(super) fn log_rule(args: &KeylessArgs) -> LogRule {
    let spelled = [
        (args.insecure_ignore_tlog, "--insecure-ignore-tlog", "--transparency-logs 0"),
        (args.insecure_ignore_sct, "--insecure-ignore-sct", "--certificate-logs 0"),
        (args.use_signed_timestamps, "--use-signed-timestamps", "--timestamps 1"),
    ];
    for (_, option, meaning) in spelled.iter().filter(|(given, ..)| *given) {
        render::note(format_args!("note: {option} means {meaning}"));
    }
    let unless = |given: bool, number: u32| if given { 0 } else { number };
    let time = match args.without_verified_time {
        true => SigningTimeRule::PresentIfMissing,
        false => SigningTimeRule::Verified,
    };
    LogRule::NONE
        .with_transparency_logs(unless(args.insecure_ignore_tlog, args.transparency_logs.unwrap_or(1)))
        .with_certificate_logs(unless(args.insecure_ignore_sct, args.certificate_logs))
        .with_timestamps(if args.use_signed_timestamps { 1 } else { args.timestamps.unwrap_or(0) })
        .with_signing_time(time)
}
