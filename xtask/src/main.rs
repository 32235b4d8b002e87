//! flatfoot.
fn main() {}
