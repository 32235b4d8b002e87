//! Names as the JVM has them, and as people read them.

use model::Text;

use super::layout::{BOOT, PLATFORM};
use super::records::text;

/// `Lorg/example/Jobs$Timeout;` → `org.example.Jobs$Timeout`, `[[I` → `int[][]`. A lambda's class is the one that it was
/// written in, and `$$Lambda`.
pub(super) fn class(signature: &[u8]) -> Text {
    const LAMBDA: &str = "$$Lambda";
    let dimensions = signature.iter().take_while(|byte| **byte == b'[').count().min(255);
    let element = signature.get(dimensions..).unwrap_or_default();
    let primitive = match element {
        b"B" => "byte",
        b"C" => "char",
        b"D" => "double",
        b"F" => "float",
        b"I" => "int",
        b"J" => "long",
        b"S" => "short",
        b"Z" => "boolean",
        _ => "",
    };
    let mut name = if primitive.is_empty() {
        let name = element.strip_prefix(b"L").unwrap_or(element);
        text(name.strip_suffix(b";").unwrap_or(name)).as_str().replace('/', ".")
    } else {
        primitive.to_owned()
    };
    if let Some(at) = name.find(LAMBDA) {
        name.truncate(at + LAMBDA.len());
    }
    name.push_str(&"[]".repeat(dimensions));
    Text::from(name)
}

/// `file:/srv/my%20app.jar` → `/srv/my app.jar`; a jar in a jar is joined by `!`. `None` without a code source.
pub(super) fn origin(source: &[u8]) -> Option<Text> {
    let mut rest = source;
    for prefix in [&b"jar:"[..], b"nested:", b"file:", b"vfs:"] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    while let Some(shorter) = rest.strip_suffix(b"!/").or_else(|| rest.strip_suffix(b"!")) {
        rest = shorter;
    }
    // Spring Boot's `nested:/app.jar/!BOOT-INF/lib/x.jar` and `jar:file:/app.jar!/BOOT-INF/lib/x.jar`.
    let joined = String::from_utf8_lossy(&unescape(rest)).replace("/!", "!/");
    (!joined.is_empty()).then(|| Text::from(joined))
}

fn unescape(escaped: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    plain
}

/// Is it the JDK's: of the boot or platform loader, or out of its module image?
pub(super) fn is_of_jdk(flags: u32, source: &[u8]) -> bool {
    flags & (BOOT | PLATFORM) != 0 || source.starts_with(b"jrt:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_read_as_in_java() {
        for (signature, name) in [
            (&b"Ljava/lang/String;"[..], "java.lang.String"),
            (b"[[I", "int[][]"),
            (b"[Lorg/example/A$B;", "org.example.A$B[]"),
            (b"Lleakcase/Pools$$Lambda$14.0x0000000800c03000;", "leakcase.Pools$$Lambda"),
            (b"Lleakcase/Pools$$Lambda", "leakcase.Pools$$Lambda"),
            (b"", ""),
        ] {
            assert_eq!(class(signature).as_str(), name);
        }
    }

    #[test]
    fn code_sources_are_paths() {
        for (source, path) in [
            (&b"file:/srv/my%20app.jar"[..], Some("/srv/my app.jar")),
            (b"file:/srv/classes/", Some("/srv/classes/")),
            (b"jar:file:/app.jar!/BOOT-INF/lib/x-1.2.jar!/", Some("/app.jar!/BOOT-INF/lib/x-1.2.jar")),
            (b"jar:nested:/app.jar/!BOOT-INF/lib/x-1.2.jar!/", Some("/app.jar!/BOOT-INF/lib/x-1.2.jar")),
            (b"vfs:/content/app.war/WEB-INF/lib/x.jar", Some("/content/app.war/WEB-INF/lib/x.jar")),
            (b"file:/100%/x%zz", Some("/100%/x%zz")),
            (b"", None),
        ] {
            assert_eq!(origin(source).as_ref().map(Text::as_str), path);
        }
    }
}
