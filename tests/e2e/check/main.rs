//! flatfoot check: real servers that leak by the request, their healthy twins, and commands that leave something behind.

#[path = "../support/mod.rs"]
mod support;

mod allowed;
mod failures;
mod java;
mod leaks;
mod left;
mod marks;
mod reports;
mod served;
mod twins;
mod whole;
