//! The web page's server and its API, end to end.
