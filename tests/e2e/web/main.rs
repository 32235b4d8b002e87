//! The web page's server and its API, end to end: a real server, real programs that leak, and a client that speaks HTTP/1.1
//! as it likes.

#[path = "../support/mod.rs"]
mod support;

mod boots;
mod case;
mod client;
mod crowd;
mod hostile;
mod live;
mod protected;
mod recorded;
mod rough;
mod server;
