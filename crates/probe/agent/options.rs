//! `cmd=start;ring=/tmp/.x/ring;orig=7f0012ab`: the command line of a command.

use core::ffi::CStr;

/// The options of a command; a path with `;` can't be given, and flatfoot doesn't.
#[derive(Clone, Copy)]
pub struct Options<'a>(&'a [u8]);

/// A path with its final 0.
pub struct Path([u8; 1024]);

impl<'a> Options<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self(text)
    }

    pub fn get(self, key: &[u8]) -> Option<&'a [u8]> {
        self.0.split(|byte| *byte == b';').find_map(|option| option.strip_prefix(key)?.strip_prefix(b"="))
    }

    pub fn number(self, key: &[u8], radix: u32) -> Option<u64> {
        let digits = self.get(key).filter(|digits| (1..=16).contains(&digits.len()))?;
        digits.iter().try_fold(0_u64, |sum, digit| {
            let value = char::from(*digit).to_digit(radix)?;
            sum.checked_mul(u64::from(radix))?.checked_add(u64::from(value))
        })
    }

    pub fn path(self, key: &[u8]) -> Option<Path> {
        let text = self.get(key)?;
        let mut path = Path([0; 1024]);
        if text.is_empty() || text.len() >= path.0.len() {
            return None;
        }
        path.0.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        Some(path)
    }
}

impl Path {
    pub fn as_cstr(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or(c"")
    }
}
