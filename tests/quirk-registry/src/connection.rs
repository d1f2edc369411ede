//! One connection: reads requests, asks the API, applies the rules, writes answers.

use std::io;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Core;
use super::api;
use super::http::BodyReader;
use super::http::Request;
use super::http::Response;
use super::http::Wire;
use super::log::Recorded;
use super::script::Action;

/// Serves a connection until either side ends it.
pub fn serve(core: &Arc<Core>, stream: TcpStream, number: usize, host: &str) {
    stream.set_nodelay(true).ok();
    let mut wire = Wire::new(stream);
    for _ in 0..MAX_REQUESTS {
        match one(core, &mut wire, number, host) {
            Ok(Next::Request) if !core.stopped() => {}
            _ => return,
        }
    }
}

enum Next {
    End,
    Request,
}

fn one(core: &Arc<Core>, wire: &mut Wire, number: usize, host: &str) -> io::Result<Next> {
    let Some(head) = wire.head()? else {
        return Ok(Next::End);
    };
    let Some(mut request) = Request::parse(&head, number, host) else {
        wire.accept()?;
        wire.write(&Response::text(400, "400 Bad Request\n"), false)?;
        return Ok(Next::End);
    };
    let actions = core.script.actions(&request);
    if actions.iter().any(|action| matches!(action, Action::Reset)) {
        record(core, &request, 0, Vec::new());
        wire.refuse()?;
        return Ok(Next::End);
    }
    wire.accept()?;
    if actions.iter().any(|action| matches!(action, Action::Hang)) {
        record(core, &request, 0, Vec::new());
        core.wait(Duration::from_secs(60));
        return Ok(Next::End);
    }
    let cut = actions.iter().find_map(|action| match action {
        Action::CutRequestAfter(bytes) => Some(*bytes),
        _ => None,
    });
    let mut body = BodyReader::new(wire, &request, cut);
    let mut response = first_answer(core, &actions, &request, &mut body);
    let whole = body.finish();
    (request.body, request.body_len) = body.seen();
    for action in &actions {
        response = change(action, &request, response);
    }
    let closes = request.header("Connection").is_some_and(|it| it.eq_ignore_ascii_case("close"));
    response.close |= !whole || closes;
    if cut.is_some() && !whole {
        record(core, &request, 0, Vec::new());
        return Ok(Next::End);
    }
    let delivery = actions.iter().rev().find(|action| action.is_delivery());
    let lost = matches!(delivery, Some(Action::LoseAnswer | Action::Raw(_)));
    record(core, &request, if lost { 0 } else { response.status }, response.headers.clone());
    let without_body = request.method == "HEAD" || response.status == 204 || response.status == 304;
    if let Some(action) = delivery {
        return deliver(core, wire, action, response, without_body);
    }
    let sent = wire.write(&response, without_body)?;
    core.log.bytes_out.fetch_add(sent, Ordering::SeqCst);
    let length = response.header("Content-Length");
    let wrong = !without_body && length.is_some_and(|it| it != response.body.len().to_string());
    Ok(if response.close || wrong { Next::End } else { Next::Request })
}

fn record(core: &Core, request: &Request, status: u16, answer: Vec<(String, String)>) {
    core.log.push(Recorded {
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers: request.headers.clone(),
        body_len: request.body_len,
        body: request.body.clone(),
        status,
        answer,
        connection: request.connection,
        host: request.host.clone(),
    });
}

// The answer of the first rule that has one, else that of the registry.
fn first_answer(core: &Arc<Core>, actions: &[Action], request: &Request, body: &mut BodyReader<'_>) -> Response {
    for action in actions {
        match action {
            Action::Pause { ms } if core.wait(Duration::from_millis((*ms).min(60_000))) => return Response::new(503),
            Action::Redirect { status, to } => return Response::new(*status).with("Location", to.clone()),
            Action::Status { code, headers, body } => {
                let mut response = Response::new(*code).body(body.clone());
                response.headers.extend(headers.iter().cloned());
                return response;
            }
            _ => {}
        }
    }
    let quirks = core.quirks();
    api::answer(core, &quirks, request, body)
}

fn change(action: &Action, request: &Request, mut response: Response) -> Response {
    match action {
        Action::Hook(hook) => {
            let mut hook = hook.lock().unwrap_or_else(PoisonError::into_inner);
            return hook(request, response);
        }
        Action::Gather(gate) => gate.pass(),
        Action::RemoveHeader(name) => response.remove(name),
        Action::ReplaceBody(bytes) => return response.body(bytes.clone()),
        Action::SetHeader(name, value) => response.set(name, value),
        Action::SetStatus(status) => response.status = *status,
        _ => {}
    }
    response
}

impl Action {
    // Whether it decides how an answer is sent.
    fn is_delivery(&self) -> bool {
        matches!(
            self,
            Self::Close
                | Self::Chunked(_)
                | Self::CutAfter(_)
                | Self::Drip { .. }
                | Self::EndlessBody
                | Self::EndlessHeaders
                | Self::GzipBomb(_)
                | Self::LoseAnswer
                | Self::Raw(_)
        )
    }
}

fn deliver(core: &Core, wire: &mut Wire, action: &Action, mut response: Response, no_body: bool) -> io::Result<Next> {
    match action {
        Action::Close => drop(wire.write(&response, no_body)?),
        Action::Chunked(bytes) => {
            response.remove("Content-Length");
            response.set("Transfer-Encoding", "chunked");
            let mut all = response.head();
            for piece in if no_body { Vec::new() } else { response.body.bytes() }.chunks((*bytes).max(1)) {
                all.extend([format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
            }
            all.extend_from_slice(b"0\r\n\r\n");
            wire.stream().write_all(&all)?;
            return Ok(Next::Request);
        }
        Action::CutAfter(bytes) => {
            let head = response.head();
            let part = response.body.part(0, (*bytes).min(response.body.len()));
            wire.stream().write_all(&[head, if no_body { Vec::new() } else { part.bytes() }].concat())?;
        }
        Action::Drip { bytes, pause_ms } => {
            let mut all = response.head();
            all.extend(if no_body { Vec::new() } else { response.body.bytes() });
            for piece in all.chunks((*bytes).max(1)) {
                wire.stream().write_all(piece)?;
                if core.wait(Duration::from_millis(*pause_ms)) {
                    return Ok(Next::End);
                }
            }
            return Ok(Next::Request);
        }
        Action::EndlessBody => {
            response.remove("Content-Length");
            response.set("Transfer-Encoding", "chunked");
            wire.stream().write_all(&response.head())?;
            let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
            endless(core, wire, &chunk)?;
        }
        Action::EndlessHeaders => {
            wire.stream().write_all(format!("HTTP/1.1 {} OK\r\n", response.status).as_bytes())?;
            endless(core, wire, &b"X-Filler: 0123456789abcdef0123456789abcdef0123456789abcdef0123\r\n".repeat(1024))?;
        }
        Action::GzipBomb(inflated) => {
            let bomb = gzip_of_zeros(*inflated);
            response.remove("Content-Length");
            response.set("Content-Encoding", "gzip");
            wire.write(&response.body(bomb), no_body)?;
        }
        Action::Raw(bytes) => wire.stream().write_all(bytes)?,
        _ => {}
    }
    Ok(Next::End)
}

fn endless(core: &Core, wire: &mut Wire, piece: &[u8]) -> io::Result<()> {
    for _ in 0..(1 << 30) / piece.len() {
        wire.stream().write_all(piece)?;
        core.log.bytes_out.fetch_add(piece.len() as u64, Ordering::SeqCst);
        if core.stopped() {
            break;
        }
    }
    Ok(())
}

/// A gzip file that inflates to at least that many zero bytes: one literal, then matches of 258 at distance 1 in the
/// fixed Huffman code of RFC 1951 section 3.2.6. Its checksum is not right; nobody should get that far.
pub fn gzip_of_zeros(inflated: u64) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.push(0b011, 3);
    bits.push(0b0000_1100, 8);
    for _ in 0..inflated.min(16 << 30).div_ceil(258) {
        bits.push(0b1010_0011, 8);
        bits.push(0, 5);
    }
    bits.push(0, 7);
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    out.extend(bits.finish());
    out.extend([0; 8]);
    out
}

#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    now: u32,
    have: u32,
}

impl Bits {
    // Adds the lowest `count` bits of `value`, lowest first.
    fn push(&mut self, value: u32, count: u32) {
        self.now |= value << self.have;
        self.have += count;
        while self.have >= 8 {
            self.out.push((self.now & 0xff) as u8);
            self.now >>= 8;
            self.have -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.have > 0 {
            self.out.push((self.now & 0xff) as u8);
        }
        self.out
    }
}

const MAX_REQUESTS: usize = 10_000_000;
