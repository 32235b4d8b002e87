//! `VM.system_properties`, with secrets left out.
//!
//! ```text
//! #Mon Nov 23 10:29:07 UTC 2026
//! java.vendor.url=https\://adoptium.net/
//! my.password=hunter2
//! line.separator=\n
//! ```

use model::Text;

/// A property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// `java.io.tmpdir`.
    pub key: Text,
    /// `None` when it was left out, as its key or its content looks like a secret.
    pub value: Option<Text>,
}

/// Words of keys that name secrets.
const SECRET_KEYS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "apikey",
    "api.key",
    "api_key",
    "privatekey",
    "accesskey",
];

/// Reads them, in their order.
#[must_use]
pub fn parse(text: &str) -> Vec<Property> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(property).collect()
}

fn property(line: &str) -> Option<Property> {
    let mut at = line.char_indices();
    // The first `=` that is not escaped.
    let equals = loop {
        match at.next()? {
            (_, '\\') => {
                at.next();
            }
            (equals, '=') => break equals,
            _ => {}
        }
    };
    let key = unescape(line.get(..equals)?);
    let value = unescape(line.get(equals + 1..)?);
    let secret = is_secret_key(&key) || is_secret(&value);
    Some(Property { key: key.into(), value: (!secret).then(|| value.into()) })
}

/// java.util.Properties: `\:`, `\=`, `\n`, `\uXXXX`.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                out.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_KEYS.iter().any(|word| key.contains(word)) || key.ends_with(".key") || key.ends_with(".auth")
}

/// Passwords in URLs and arguments, keys in their usual clothes, and long words without any reason.
fn is_secret(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let assigned = SECRET_KEYS.iter().any(|word| {
        lower.split(*word).skip(1).any(|after| after.starts_with(['=', ':', ' ']) && after.len() > 1)
    });
    let in_url = value.split("://").skip(1).any(|rest| {
        let host = rest.split(['/', '?', ' ']).next().unwrap_or_default();
        host.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    });
    assigned
        || in_url
        || lower.contains("-----begin")
        || value.split([' ', ',', ';', '=', ':', '/']).any(is_random)
}

/// `AKIAIOSFODNN7EXAMPLEK`, `9f86d081884c7d659a2feaa0c55ad015`: long, of letters and digits alone, and of both many.
fn is_random(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.len() >= 20
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'_' | b'-'))
        && !word.contains("--")
        && digits >= word.len() / 8
        && word.len() - digits >= 4
        // Versions and names are cut by dashes into short pieces.
        && word.split(['-', '_']).any(|piece| piece.len() >= 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(answer: &str, key: &str) -> Option<String> {
        let found = parse(answer).into_iter().find(|one| one.key.as_str() == key);
        found.unwrap_or_else(|| panic!("no {key}")).value.map(|value| value.as_str().to_owned())
    }

    #[test]
    fn a_real_answer_keeps_what_is_harmless() {
        let answer = include_str!("fixtures/17.properties.txt");
        assert_eq!(value(answer, "my.password"), None);
        assert_eq!(value(answer, "java.vendor.url").unwrap(), "https://adoptium.net/");
        assert_eq!(value(answer, "line.separator").unwrap(), "\n");
        let hidden: Vec<_> =
            parse(answer).into_iter().filter(|one| one.value.is_none()).map(|one| one.key).collect();
        assert_eq!(hidden, [Text::from("my.password")]);
    }

    #[test]
    fn secrets_are_left_out() {
        for secret in [
            "a.Secret.b=x",
            "db=jdbc\\:postgresql\\://h/d?user\\=a&password\\=b",
            "url=https\\://user\\:pass@host/",
            "sun.java.command=Main --token abc",
            "x=wJalrXUtnFEMI7K7MDENGbPxRfiCY0",
            "x=9f86d081884c7d659a2feaa0c55ad015",
            "x=-----BEGIN PRIVATE KEY-----",
            "ssl.key=1",
        ] {
            assert_eq!(parse(secret).first().unwrap().value, None, "{secret}");
        }
        for plain in [
            "java.home=/usr/lib/jvm/java-17-openjdk-amd64",
            "url=https\\://host\\:8080/a@b",
            "x=Temurin-17.0.9+9",
            "os.version=6.18.44-fc-v669",
            "x=org.example.application.server.Main",
        ] {
            assert!(parse(plain).first().unwrap().value.is_some(), "{plain}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(\\\\|u00|=|:|://|@|\\PC|\n|password){0,40}") {
            let _ = parse(&text);
        }
    }
}
