//! Where a class was loaded from: its protection domain's code source, by reading fields. The one method that is
//! called, `Class.getProtectionDomain0`, is native in the JDK: no Java code runs.

use crate::jni::{Jni, Obj};
use crate::jvmti::Ti;
use crate::layout::{BOOT, PLATFORM};

/// `file:/srv/app.jar`, as far as it fits.
pub struct Origin {
    bytes: [u8; 768],
    used: usize,
}

impl Origin {
    const fn new() -> Self {
        Self { bytes: [0; 768], used: 0 }
    }

    pub fn text(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or(&[])
    }

    fn push(&mut self, text: &[u8]) {
        for byte in text {
            if let Some(place) = self.bytes.get_mut(self.used) {
                *place = *byte;
                self.used += 1;
            }
        }
    }
}

/// `BOOT`, `PLATFORM` or 0.
pub fn loader_flags(jni: Jni, ti: Ti, class: Obj) -> u32 {
    let loader = ti.loader(class);
    if loader.is_null() {
        return BOOT;
    }
    let loader_class = jni.class_of(loader);
    let platform = matches!(
        ti.signature(loader_class).text(),
        b"Ljdk/internal/loader/ClassLoaders$PlatformClassLoader;" | b"Lsun/misc/Launcher$ExtClassLoader;"
    );
    jni.release(loader_class);
    jni.release(loader);
    if platform { PLATFORM } else { 0 }
}

/// The code source of a class that is not of the boot loader; empty when it has none.
pub fn of_class(jni: Jni, class: Obj) -> Origin {
    let meta = jni.class_of(class);
    // A field since 25, before that only a native method.
    let field = jni.field(meta, c"protectionDomain", c"Ljava/security/ProtectionDomain;");
    let domain = if field.is_null() {
        jni.call(class, jni.method(meta, c"getProtectionDomain0", c"()Ljava/security/ProtectionDomain;"))
    } else {
        jni.get(class, field)
    };
    let origin = of_domain(jni, domain);
    jni.release(domain);
    jni.release(meta);
    origin
}

/// The code source of a protection domain.
pub fn of_domain(jni: Jni, domain: Obj) -> Origin {
    let mut origin = Origin::new();
    let source = follow(jni, domain, c"codesource", c"Ljava/security/CodeSource;");
    let location = follow(jni, source, c"location", c"Ljava/net/URL;");
    let mut space = [0; 768];
    let protocol = follow(jni, location, c"protocol", c"Ljava/lang/String;");
    origin.push(jni.text(protocol, &mut space));
    let path = follow(jni, location, c"path", c"Ljava/lang/String;");
    if !path.is_null() {
        origin.push(b":");
        origin.push(jni.text(path, &mut space));
    }
    for object in [path, protocol, location, source] {
        jni.release(object);
    }
    origin
}

/// The object in a field of this object, looked up by name.
pub fn follow(jni: Jni, object: Obj, name: &core::ffi::CStr, signature: &core::ffi::CStr) -> Obj {
    let class = jni.class_of(object);
    let field = jni.field(class, name, signature);
    let found = jni.get(object, field);
    jni.release(class);
    found
}
