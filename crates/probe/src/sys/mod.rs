//! The thin layer over system calls. Unsafe code is allowed here and nowhere else in this crate, each block
//! with the reason why it is sound; what rustix offers safely is used from there.

pub mod credentials;
pub mod dents;
pub mod family;
pub mod file;
pub mod heap;
pub mod limits;
pub mod pagemap;
pub mod place;
pub mod process;
pub mod robust_list;
pub mod sock_diag;
pub mod time;
pub mod unix_socket;
