//! What a request is answered with: a document, a file, or what is wrong and what to do.
//!
//! ```json
//! {"schema": "flatfoot.error/1", "error": "from: not a time: \"yesterday\"", "hint": "Unix seconds, as 1795449600"}
//! ```

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::failure::{Code, Failure};

/// A whole answer, as it is kept for who asks the same.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) kind: &'static str,
    pub(super) body: Bytes,
    /// For how many seconds it is good for others.
    pub(super) keep_s: f64,
    /// The name under which it is saved, for downloads.
    pub(super) file: Option<String>,
    /// When to try again, in seconds.
    pub(super) again_s: Option<u32>,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) error: String,
    pub(super) hint: Option<String>,
}

/// `flatfoot.error/1`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ErrorDocument {
    /// `flatfoot.error/1`.
    pub(crate) schema: &'static str,
    /// What is wrong, as a sentence without a full stop.
    pub(crate) error: String,
    /// What to do.
    pub(crate) hint: Option<String>,
}

/// What a job gives.
pub(super) type Result<T> = std::result::Result<T, Problem>;

/// JSON, in UTF-8 by its definition.
pub(super) const JSON: &str = "application/json";

impl Answer {
    /// A document.
    pub(super) fn json(document: &impl Serialize, keep_s: f64) -> Result<Self> {
        let body = serde_json::to_vec(document).map_err(|error| Problem::internal(&error))?;
        Ok(Self::ok(JSON, body, keep_s))
    }

    /// Anything that went well.
    pub(super) fn ok(kind: &'static str, body: impl Into<Bytes>, keep_s: f64) -> Self {
        Self { status: StatusCode::OK, kind, body: body.into(), keep_s, file: None, again_s: None }
    }
}

impl Problem {
    pub(super) fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, error: error.into(), hint: Some(hint.into()) }
    }

    /// What was asked for is not understood.
    pub(super) fn not_understood(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, hint)
    }

    /// It is not there.
    pub(super) fn not_there(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error, hint)
    }

    /// Too many at once.
    pub(super) fn busy() -> Self {
        let hint =
            "ask again in a second; flatfoot serve answers few at a time so that recording is never late";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too much is asked for at once", hint)
    }

    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, error: error.to_string(), hint: None }
    }

    /// As an answer; it is good for nobody else.
    pub(super) fn answer(&self) -> Answer {
        let document =
            ErrorDocument { schema: "flatfoot.error/1", error: self.error.clone(), hint: self.hint.clone() };
        Answer {
            status: self.status,
            kind: JSON,
            body: serde_json::to_vec(&document).unwrap_or_default().into(),
            keep_s: 0.0,
            file: None,
            again_s: (self.status == StatusCode::SERVICE_UNAVAILABLE).then_some(1),
        }
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        let is_explained = error.is::<Failure>() || error.is::<store::Error>();
        let failure = Failure::from_any(error);
        let status = match failure.code {
            Code::Usage => StatusCode::BAD_REQUEST,
            _ if is_explained => StatusCode::NOT_FOUND,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, error: failure.message, hint: failure.hint }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            hint: error.hint().map(ToString::to_string),
            error: error.to_string(),
        }
    }
}

/// What those who wait for one answer share.
pub(super) type Shared = Arc<Answer>;
