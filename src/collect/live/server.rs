//! One question to the API server, asked until it is answered: pace, time limit, repetition with growing pauses.
//!
//! **Trap.** An answer counts only when it is whole and makes sense, so reading it belongs to the attempt: a reset in
//! mid-page and a page of garbage are asked for again like a refused connection.

use std::io::Read as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Request, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use tokio::sync::{Mutex, oneshot};

use super::failure::Failure;

/// How often one question is asked.
const TRIES: u32 = 6;
/// Longest pause between two tries, whatever the server wishes.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long pauses may be saved up.
const BURST: Duration = Duration::from_secs(1);
/// Largest answer, in bytes: some 500 pods of half a megabyte.
const MAX_ANSWER: usize = 256 << 20;
/// Largest answer that is no success, in bytes.
const MAX_STATUS: usize = 1 << 20;

/// An API server, and how it is to be treated.
pub(super) struct Server {
    client: kube::Client,
    /// When the next request may leave.
    next: Mutex<Instant>,
    gap: Duration,
    timeout: Duration,
    first_pause: Duration,
    /// How often one question is asked at most.
    tries: u32,
    /// Whether it was out of reach at the end of all tries: the next questions are asked once each.
    is_lost: AtomicBool,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    pub(super) fn new(client: kube::Client, options: &super::Options) -> Self {
        let gap = Duration::try_from_secs_f64(1.0 / f64::from(options.max_qps.max(1))).unwrap_or_default();
        Self {
            client,
            next: Mutex::new(Instant::now()),
            gap,
            timeout: options.request_timeout,
            first_pause: options.first_pause,
            tries: TRIES,
            is_lost: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// The same without repetition.
    pub(super) fn asking_once(self) -> Self {
        Self { tries: 1, ..self }
    }

    /// How many requests were sent, and how many bytes of answers came.
    pub(super) fn spent(&self) -> (u64, u64) {
        (
            self.requests.load(Ordering::Relaxed),
            self.bytes.load(Ordering::Relaxed),
        )
    }

    /// Asks until there is an answer that `read` makes sense of, or no hope of one.
    pub(super) async fn get<T, F>(&self, path: &str, accept: &'static str, read: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Fn(&[u8]) -> Result<T, Failure> + Clone + Send + 'static,
    {
        self.ask(&Question::get(path, accept), read).await
    }

    /// Asks a question of any method.
    pub(super) async fn ask<T, F>(&self, question: &Question<'_>, read: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Fn(&[u8]) -> Result<T, Failure> + Clone + Send + 'static,
    {
        let mut tried = 0;
        loop {
            tried += 1;
            self.wait_for_turn().await;
            self.requests.fetch_add(1, Ordering::Relaxed);
            let once = self.once(question, read.clone());
            let answer = tokio::time::timeout(self.timeout, once).await;
            let failure = match answer.unwrap_or(Err(Failure::Timeout(self.timeout))) {
                Ok(answer) => {
                    self.is_lost.store(false, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            let renewed = matches!(failure, Failure::Unauthorized(_)) && tried == 1;
            let lost = self.is_lost.load(Ordering::Relaxed);
            if !(failure.is_passing() || renewed) || tried == self.tries || lost {
                if matches!(failure, Failure::Unreachable(_) | Failure::Timeout(_)) {
                    self.is_lost.store(true, Ordering::Relaxed);
                }
                return Err(failure);
            }
            tokio::time::sleep(self.pause(tried, failure.retry_after())).await;
        }
    }

    /// Keeps to the greatest number of requests per second.
    async fn wait_for_turn(&self) {
        let at = {
            let mut next = self.next.lock().await;
            let now = Instant::now();
            // What was not asked in the last second may be asked at once.
            let unused = now.checked_sub(BURST).unwrap_or(now);
            let at = (*next).max(unused);
            *next = at + self.gap;
            at
        };
        tokio::time::sleep_until(at.into()).await;
    }

    /// The pause after a try: doubled each time and spread, so that many readers do not come back at once.
    fn pause(&self, tried: u32, wish: Option<Duration>) -> Duration {
        let grown = self.first_pause.saturating_mul(1 << (tried - 1).min(10));
        let spread = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |now| now.subsec_nanos() % 1000);
        let spread = grown.mul_f64(f64::from(spread) / 2000.0);
        (grown + spread).max(wish.unwrap_or_default()).min(LONGEST_PAUSE)
    }

    async fn once<T, F>(&self, question: &Question<'_>, read: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Fn(&[u8]) -> Result<T, Failure> + Send + 'static,
    {
        let request = question.request()?;
        let sent = self.client.send(request).await;
        let (parts, body) = sent.map_err(|error| Failure::of_client(&error))?.into_parts();
        if !parts.status.is_success() {
            // What it says beyond that is not needed.
            let (body, _) = self.body(body, MAX_STATUS).await;
            return Err(Failure::of_status(
                parts.status.as_u16(),
                retry_after(&parts.headers),
                &body,
            ));
        }
        let is_packed = is_packed(&parts.headers)?;
        let (body, broken) = self.body(body, MAX_ANSWER).await;
        if let Some(failure) = broken {
            return Err(failure);
        }
        let (answer, read_answer) = oneshot::channel();
        rayon::spawn(move || {
            let unpacked = if is_packed { unpacked(&body) } else { Ok(body) };
            // Nobody waits any more when the time is up.
            let _ = answer.send(unpacked.and_then(|body| read(&body)));
        });
        (read_answer.await).unwrap_or_else(|_| Err(Failure::Garbage("reading it failed".to_owned())))
    }

    /// Reads a body, and says why it is not whole if it is not.
    async fn body(&self, mut body: Body, limit: usize) -> (Vec<u8>, Option<Failure>) {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) => return (bytes, Some(Failure::BrokenOff(super::failure::words(&error)))),
            };
            if let Ok(data) = frame.into_data() {
                self.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
                if bytes.len() + data.len() > limit {
                    return (bytes, Some(Failure::TooLarge(limit)));
                }
                bytes.extend_from_slice(&data);
            }
        }
        (bytes, None)
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Question<'a> {
    path: &'a str,
    accept: &'static str,
    /// The body to send; without one it is a GET.
    body: Option<Vec<u8>>,
}

impl<'a> Question<'a> {
    pub(super) fn get(path: &'a str, accept: &'static str) -> Self {
        Self {
            path,
            accept,
            body: None,
        }
    }

    /// A question that has a body, JSON in both directions.
    pub(super) fn post(path: &'a str, body: Vec<u8>) -> Self {
        Self {
            path,
            accept: "application/json",
            body: Some(body),
        }
    }

    fn request(&self) -> Result<Request<Body>, Failure> {
        let mut request = Request::builder()
            .method(if self.body.is_some() { "POST" } else { "GET" })
            .uri(self.path)
            .header(header::ACCEPT, self.accept)
            .header(header::ACCEPT_ENCODING, "gzip")
            .header(
                header::USER_AGENT,
                concat!("beachhead/", env!("CARGO_PKG_VERSION")),
            );
        if self.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = self.body.clone().map_or_else(Body::empty, Body::from);
        request
            .body(body)
            .map_err(|error| Failure::Unreachable(error.to_string()))
    }
}

/// Whether an answer is packed; an error if in another way than was asked for.
fn is_packed(headers: &HeaderMap) -> Result<bool, Failure> {
    match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(false),
        Some(b"gzip") => Ok(true),
        Some(_) => Err(Failure::Garbage(
            "it is packed in another way than gzip".to_owned(),
        )),
    }
}

/// An answer that came packed; nothing that is cut off, or longer than any answer may be.
fn unpacked(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let most = MAX_ANSWER as u64 + 1;
    let mut reader = flate2::read::GzDecoder::new(body).take(most);
    match reader.read_to_end(&mut bytes) {
        Ok(_) if bytes.len() > MAX_ANSWER => Err(Failure::TooLarge(MAX_ANSWER)),
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::Garbage(format!("it cannot be unpacked: {error}"))),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
