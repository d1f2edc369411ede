//! The log of `-v` and `-vv`: the subscriber of spans and events, which prints each event on a line of its own.
//!
//! Invariant: without `-v` there is no subscriber. With it, only events of this package are taken in, since an HTTP
//! library may log headers; each text is bounded, and each line passes the escaping and the redaction of all output.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use serde::Serialize;
use serde::Serializer;
use tracing::Event;
use tracing::Level;
use tracing::Metadata;
use tracing::Subscriber;
use tracing::field::Field;
use tracing::field::Visit;
use tracing::level_filters::LevelFilter;
use tracing::span::Attributes;
use tracing::span::Id;
use tracing::span::Record;
use tracing::subscriber::set_global_default;
use tracing_core::span::Current;

use bulla::text::Untrusted;

use super::args::GeneralArgs;
use super::args::LogFormat;
use super::clock;
use super::redacted;
use super::render;

thread_local! {
    /// The spans that this thread is in, the innermost last.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Begins the log, if the command line asks for one.
pub(super) fn begin(args: &GeneralArgs) {
    let print: fn(&Entry) = match args.log_format {
        LogFormat::Json => |entry| render::json_note(entry),
        LogFormat::Text => |entry| render::note(entry),
    };
    if let Some(log) = Log::asked_for(args.verbose, print) {
        // It fails only where there is a subscriber already; the program installs no other.
        drop(set_global_default(log));
    }
}

/// The subscriber.
struct Log {
    level: LevelFilter,
    /// The number of the last span.
    number: AtomicU64,
    open: Mutex<BTreeMap<u64, OpenSpan>>,
    print: fn(&Entry),
}

/// A span that is not closed yet: its handles, and the spans inside it, keep it open.
struct OpenSpan {
    fields: Fields,
    handles: usize,
    metadata: &'static Metadata<'static>,
    parent: Option<u64>,
}

/// An event as it is printed, with the spans around it, the outermost first.
#[derive(Debug, Serialize)]
struct Entry {
    timestamp: String,
    level: &'static str,
    target: &'static str,
    message: String,
    fields: Fields,
    spans: Vec<SpanEntry>,
}

#[derive(Debug, Serialize)]
struct SpanEntry {
    name: &'static str,
    fields: Fields,
}

/// Fields in their order, each name once.
#[derive(Clone, Debug, Default)]
struct Fields(Vec<(&'static str, Value)>);

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Value {
    Bool(bool),
    Signed(i64),
    Text(String),
    Unsigned(u64),
}

impl Log {
    /// The subscriber for `-v`, typed `verbose` times; `None` where it was not typed.
    fn asked_for(verbose: u8, print: fn(&Entry)) -> Option<Self> {
        let level = match verbose {
            0 => return None,
            1 => LevelFilter::INFO,
            _ => LevelFilter::DEBUG,
        };
        Some(Self { level, number: AtomicU64::new(0), open: Mutex::default(), print })
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, OpenSpan>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The span `innermost` and those around it, the outermost first.
    fn spans(&self, innermost: Option<u64>) -> Vec<SpanEntry> {
        let open = self.open();
        let around = std::iter::successors(innermost.and_then(|id| open.get(&id)), |span| open.get(&span.parent?));
        let entry = |span: &OpenSpan| SpanEntry { name: span.metadata.name(), fields: span.fields.clone() };
        let mut spans: Vec<_> = around.map(entry).collect();
        spans.reverse();
        spans
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let ours = metadata.target().split("::").next() == Some(env!("CARGO_PKG_NAME"));
        ours && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.number.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent = match attributes.parent() {
            Some(parent) => Some(parent.into_u64()),
            None => innermost().filter(|_| attributes.is_contextual()),
        };
        let mut open = self.open();
        parent.and_then(|id| open.get_mut(&id)).into_iter().for_each(|parent| parent.handles += 1);
        open.insert(id, OpenSpan { fields, handles: 1, metadata: attributes.metadata(), parent });
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(span) = self.open().get_mut(&span.into_u64()) {
            fields.0.into_iter().for_each(|(name, value)| span.fields.set(name, value));
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let spans = match event.parent() {
            Some(parent) => self.spans(Some(parent.into_u64())),
            None => self.spans(innermost().filter(|_| event.is_contextual())),
        };
        let message = match fields.take(MESSAGE) {
            Some(Value::Text(message)) => message,
            _ => String::new(),
        };
        let metadata = event.metadata();
        let level = if *metadata.level() == Level::DEBUG { "debug" } else { "info" };
        let timestamp = clock::stamp();
        (self.print)(&Entry { timestamp, level, target: metadata.target(), message, fields, spans });
    }

    fn enter(&self, span: &Id) {
        entered(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        entered(|entered| {
            let last = entered.iter().rposition(|id| *id == span.into_u64());
            last.map(|at| entered.remove(at))
        });
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.open().get_mut(&span.into_u64()).into_iter().for_each(|span| span.handles += 1);
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut open = self.open();
        let mut next = Some(span.into_u64());
        let mut closed = false;
        while let Some(span) = next.take().and_then(|id| open.get_mut(&id).map(|span| (id, span))) {
            let (id, span) = span;
            span.handles = span.handles.saturating_sub(1);
            if span.handles == 0 {
                closed = true;
                next = open.remove(&id).and_then(|span| span.parent);
            }
        }
        closed
    }

    fn current_span(&self) -> Current {
        let open = self.open();
        let current =
            innermost().and_then(|id| open.get(&id).map(|span| Current::new(Id::from_u64(id), span.metadata)));
        current.unwrap_or_else(Current::none)
    }
}

/// Does `work` with the spans that this thread is in; `None` where the thread is ending.
fn entered<T>(work: impl FnOnce(&mut Vec<u64>) -> T) -> Option<T> {
    ENTERED.try_with(|entered| work(&mut entered.borrow_mut())).ok()
}

/// The span that this thread is in.
fn innermost() -> Option<u64> {
    entered(|entered| entered.last().copied()).flatten()
}

impl Fields {
    fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(other, _)| *other == name)?;
        Some(self.0.remove(at).1)
    }
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), Value::Bool(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), Value::Signed(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // Secrets are looked for before the text is cut: a part of one might not be recognised.
        self.set(field.name(), Value::Text(Untrusted::new(&redacted::text(value)).to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), Value::Unsigned(value));
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// `LEVEL: SPAN{FIELD=VALUE}:SPAN: MESSAGE FIELD=VALUE`. What the span around has said is not repeated.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.level)?;
        let mut said: Vec<&(&str, Value)> = Vec::new();
        for (number, span) in self.spans.iter().enumerate() {
            write!(f, "{}{}", if number == 0 { "" } else { ":" }, span.name)?;
            let fresh: Vec<_> = span.fields.0.iter().filter(|field| !said.contains(field)).collect();
            let texts: Vec<_> = fresh.iter().map(|(name, value)| format!("{name}={value}")).collect();
            match texts.is_empty() {
                true => {}
                false => write!(f, "{{{}}}", texts.join(" "))?,
            }
            said.extend(fresh);
        }
        write!(f, "{}{}", if self.spans.is_empty() { "" } else { ": " }, self.message)?;
        self.fields.0.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

/// A text is in quotes where its end would not be seen without them.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Signed(value) => write!(f, "{value}"),
            Self::Text(text) if text.is_empty() || text.contains([' ', '"', '=', '{', '}']) => write!(f, "{text:?}"),
            Self::Text(text) => f.write_str(text),
            Self::Unsigned(value) => write!(f, "{value}"),
        }
    }
}

/// The name of the field that holds the message of an event.
const MESSAGE: &str = "message";

#[cfg(test)]
mod tests {
    use std::task::Context;
    use std::task::Poll;
    use std::task::Waker;

    use serde_json::Value as Json;
    use serde_json::json;
    use tracing::Dispatch;
    use tracing::Instrument as _;
    use tracing::Span;
    use tracing::debug;
    use tracing::debug_span;
    use tracing::dispatcher::with_default;
    use tracing::field::Empty;
    use tracing::info;
    use tracing::info_span;
    use tracing::trace;

    use bulla::time::Time;

    use super::*;

    thread_local! {
        static PRINTED: RefCell<Vec<(String, Json)>> = const { RefCell::new(Vec::new()) };
    }

    /// What `work` logs with `-v`, typed `verbose` times, as text and as JSON. No span is left open.
    fn logged(verbose: u8, work: impl FnOnce()) -> Vec<(String, Json)> {
        let print = |entry: &Entry| {
            let json = serde_json::to_value(entry).unwrap();
            PRINTED.with_borrow_mut(|printed| printed.push((entry.to_string(), json)));
        };
        let dispatch = Dispatch::new(Log::asked_for(verbose, print).unwrap());
        with_default(&dispatch, work);
        assert!(dispatch.downcast_ref::<Log>().unwrap().open().is_empty(), "spans are left open");
        PRINTED.take()
    }

    fn texts(verbose: u8, work: impl FnOnce()) -> Vec<String> {
        logged(verbose, work).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn without_the_option_there_is_no_subscriber() {
        let hint = |verbose| Log::asked_for(verbose, |_| {}).map(|log| log.max_level_hint());
        assert_eq!(hint(0), None);
        assert_eq!(hint(1), Some(Some(LevelFilter::INFO)));
        assert_eq!(hint(2), Some(Some(LevelFilter::DEBUG)));
        assert_eq!(hint(255), Some(Some(LevelFilter::DEBUG)));
    }

    #[test]
    fn an_event_is_printed_with_the_spans_around_it() {
        let work = || {
            let outer = info_span!("outer", subject = "sha256:ab", place = Empty);
            outer.record("place", "oci:app");
            let inner = info_span!(parent: &outer, "inner", subject = "sha256:ab", attempt = 1_u32);
            inner.record("attempt", 2_u32);
            drop(outer);
            inner.in_scope(|| info!(status = 200, whole = true, offset = -1, reason = "not now", "answered {}", 1));
            info!(parent: &inner, "beside");
            info!("alone");
        };
        let printed = logged(1, work);
        let spans = "outer{subject=sha256:ab place=oci:app}:inner{attempt=2}";
        let texts: Vec<_> = printed.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(
            texts,
            [
                &format!("info: {spans}: answered 1 status=200 whole=true offset=-1 reason=\"not now\""),
                &format!("info: {spans}: beside"),
                "info: alone"
            ]
        );
        let (_, entry) = &printed[0];
        assert!(entry["timestamp"].as_str().and_then(Time::parse).is_some(), "{entry}");
        assert_eq!((&entry["level"], &entry["target"]), (&json!("info"), &json!("bulla::cli::log::tests")));
        assert_eq!(entry["message"], "answered 1");
        assert_eq!(entry["fields"], json!({ "status": 200, "whole": true, "offset": -1, "reason": "not now" }));
        let outer = json!({ "name": "outer", "fields": { "subject": "sha256:ab", "place": "oci:app" } });
        let inner = json!({ "name": "inner", "fields": { "subject": "sha256:ab", "attempt": 2 } });
        assert_eq!(entry["spans"], json!([outer, inner]));
    }

    /// Two futures take turns on one thread: each is in its own span whenever it goes on.
    #[test]
    fn a_future_is_in_its_own_span_whenever_it_goes_on() {
        let one = || async {
            info!("begun");
            let mut waited = false;
            std::future::poll_fn(|_| match std::mem::replace(&mut waited, true) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
            Span::current().record("attempt", 2_u32);
            info!("done");
        };
        let work = || {
            let mut first = Box::pin(one().instrument(info_span!("first", attempt = 1_u32)));
            let mut second = Box::pin(one().instrument(info_span!("second", attempt = 1_u32)));
            let mut context = Context::from_waker(Waker::noop());
            for turn in 0..2 {
                assert_eq!(first.as_mut().poll(&mut context).is_ready(), turn == 1);
                assert_eq!(second.as_mut().poll(&mut context).is_ready(), turn == 1);
            }
        };
        let wanted = [
            "info: first{attempt=1}: begun",
            "info: second{attempt=1}: begun",
            "info: first{attempt=2}: done",
            "info: second{attempt=2}: done",
        ];
        assert_eq!(texts(1, work), wanted);
    }

    #[test]
    fn only_this_package_and_only_the_level_that_was_asked_for_is_printed() {
        let work = || {
            let hidden = debug_span!("hidden");
            info!(parent: &hidden, "ours");
            debug!("more");
            trace!("never");
            info!(target: "h2::codec", header = "authorization", "theirs");
            info!(target: "bullan::x", "almost ours");
        };
        assert_eq!(texts(1, work), ["info: ours"]);
        assert_eq!(texts(2, work), ["info: hidden: ours", "debug: more"]);
    }

    #[test]
    fn a_text_is_bounded_and_escaped_and_holds_no_secret() {
        redacted::secrets().add("canary-of-the-log-6174");
        let work = || {
            let (long, steering) = ("x".repeat(100_000), "a\nb\u{1b}[2J\u{202e}=c");
            info!(long, steering, secret = format!("{}canary-of-the-log-6174", "y".repeat(290)), none = "", "m");
        };
        let printed = logged(1, work);
        let (text, entry) = &printed[0];
        assert!(text.len() < 1_000 && !text.contains(bulla::text::is_unsafe_to_show), "{text}");
        assert!(
            text.contains("steering=\"a\\\\u{a}b") && text.contains("yyy***") && text.ends_with(" none=\"\""),
            "{text}"
        );
        assert_eq!(entry["fields"]["steering"], "a\\u{a}b\\u{1b}[2J\\u{202e}=c");
        assert!(!entry.to_string().contains("canary"), "{entry}");
    }
}
