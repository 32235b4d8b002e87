//! Whose code a frame is: what makes a stack readable is leaving out what everybody has.

use model::{JarIdentity, JavaFrame, JvmInside};

/// Whose code it is, from the machine outwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The JDK.
    Jdk,
    /// Machinery of a language on the JVM: JRuby, Scala, Groovy, Kotlin, Clojure.
    Runtime,
    /// What calls the application: schedulers, servers, containers.
    Framework,
    /// Came in a dependency's jar.
    Library,
    /// The rest.
    Application,
}

impl Role {
    /// As in JSON.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Jdk => "jdk",
            Self::Runtime => "runtime",
            Self::Framework => "framework",
            Self::Library => "library",
            Self::Application => "application",
        }
    }
}

/// What stands for the class in frames of Ruby methods.
pub(super) const RUBY: &str = "ruby";

/// Packages of the JDK, as far as they are not told by the class loader.
const JDK: [&str; 6] = ["java.", "javax.", "jdk.", "sun.", "com.sun.", "netscape."];

/// Packages of languages' machinery, with the language.
const RUNTIMES: [(&str, &str); 9] = [
    ("org.jruby.", "JRuby"),
    ("scala.", "Scala"),
    ("groovy.", "Groovy"),
    ("org.codehaus.groovy.", "Groovy"),
    ("org.apache.groovy.", "Groovy"),
    ("kotlin.", "Kotlin"),
    ("kotlinx.coroutines.", "Kotlin"),
    ("clojure.", "Clojure"),
    ("org.python.", "Jython"),
];

/// Packages of frameworks, with a name that people know them by. Short on purpose: what calls one's code, not what it uses.
const FRAMEWORKS: [(&str, &str); 26] = [
    ("org.quartz.", "Quartz"),
    ("org.springframework.", "Spring"),
    ("io.netty.", "Netty"),
    ("org.apache.catalina.", "Tomcat"),
    ("org.apache.coyote.", "Tomcat"),
    ("org.apache.tomcat.", "Tomcat"),
    ("org.apache.jasper.", "Tomcat"),
    ("org.eclipse.jetty.", "Jetty"),
    ("io.undertow.", "Undertow"),
    ("org.xnio.", "XNIO"),
    ("org.jboss.", "JBoss"),
    ("org.wildfly.", "WildFly"),
    ("org.glassfish.", "GlassFish"),
    ("com.ibm.ws.", "WebSphere"),
    ("weblogic.", "WebLogic"),
    ("io.vertx.", "Vert.x"),
    ("akka.", "Akka"),
    ("org.apache.pekko.", "Pekko"),
    ("reactor.", "Reactor"),
    ("io.reactivex.", "RxJava"),
    ("io.micronaut.", "Micronaut"),
    ("io.quarkus.", "Quarkus"),
    ("play.", "Play"),
    ("org.apache.camel.", "Camel"),
    ("org.apache.kafka.", "Kafka"),
    ("org.apache.felix.", "Felix"),
];

/// What says that a jar is a dependency's and not the application's own.
const LIBRARY_PLACES: [&str; 7] = [
    "/WEB-INF/lib/",
    "/BOOT-INF/lib/",
    "/.m2/repository/",
    "/.gradle/caches/",
    "/usr/share/java/",
    "/gems/",
    "/lib/ext/",
];

/// The name of the framework or runtime that a class is of.
#[must_use]
pub fn known_as(class: &str) -> Option<&'static str> {
    let of = |list: &'static [(&str, &str)]| {
        list.iter().find(|(package, _)| class.starts_with(package)).map(|(_, name)| *name)
    };
    of(&FRAMEWORKS).or_else(|| of(&RUNTIMES))
}

/// Whose code a frame is.
#[must_use]
pub fn of_frame(frame: &JavaFrame, inside: &JvmInside, command: &str) -> Role {
    let class = frame.class.as_str();
    if class == RUBY {
        return of_script(frame.file.as_ref().map_or("", |file| file.as_str()));
    }
    let has = |list: &[(&str, &str)]| list.iter().any(|(package, _)| class.starts_with(package));
    if frame.of_jdk || (frame.origin.is_none() && JDK.iter().any(|package| class.starts_with(package))) {
        return Role::Jdk;
    }
    if has(&RUNTIMES) {
        return Role::Runtime;
    }
    if has(&FRAMEWORKS) {
        return Role::Framework;
    }
    if is_of_main(class, command) {
        return Role::Application;
    }
    match &frame.origin {
        Some(origin) if is_library(origin.as_str(), inside, command) => Role::Library,
        _ => Role::Application,
    }
}

/// Whose class it is, by its name alone: arrays and primitives are the JDK's, and what is of no known package is the
/// application's.
#[must_use]
pub fn of_class(class: &str) -> Role {
    let element = class.trim_end_matches("[]");
    let bare = !element.contains('.');
    let primitive = ["byte", "char", "short", "int", "long", "float", "double", "boolean"].contains(&element);
    // `[B`, `[Ljava.lang.String;`, `<constantPoolKlass>`: other ways in which histograms write what is the JVM's own.
    if bare && (primitive || element.starts_with('[') || element.starts_with('<')) {
        return Role::Jdk;
    }
    let element = element.trim_start_matches('[');
    let element = element.strip_prefix('L').filter(|_| class.starts_with('[')).unwrap_or(element);
    let has = |list: &[(&str, &str)]| list.iter().any(|(package, _)| element.starts_with(package));
    match () {
        () if JDK.iter().any(|package| element.starts_with(package)) => Role::Jdk,
        () if has(&RUNTIMES) => Role::Runtime,
        () if has(&FRAMEWORKS) => Role::Framework,
        () => Role::Application,
    }
}

/// Of a script: gems are libraries, what comes with the language is its runtime.
fn of_script(file: &str) -> Role {
    match () {
        () if file.contains("/gems/") => Role::Library,
        () if file.contains("/lib/ruby/") || file.starts_with("uri:classloader:") => Role::Runtime,
        () => Role::Application,
    }
}

/// Is a class of the same packages as the main class: its own, or, of a longer name, the first two (`com.example`)?
fn is_of_main(class: &str, command: &str) -> bool {
    let main = command.split_ascii_whitespace().next().unwrap_or_default();
    // A module's main class: `app.module/com.example.Main`. A jar or a path is no class.
    let main = main.rsplit_once('/').map_or(main, |(_, class)| class);
    if is_archive(main) {
        return false;
    }
    let Some((package, _)) = main.rsplit_once('.') else { return false };
    let root: Vec<&str> = package.split('.').take(2).collect();
    class.strip_prefix(root.join(".").as_str()).is_some_and(|rest| rest.starts_with('.'))
}

/// Is what lies at this path a dependency? The application's own jar is the one that it was started with; a directory of
/// classes is its own, too.
fn is_library(origin: &str, inside: &JvmInside, command: &str) -> bool {
    if LIBRARY_PLACES.iter().any(|place| origin.contains(place)) {
        return true;
    }
    if origin.ends_with('/') || !is_archive(origin) {
        return false;
    }
    let file = origin.rsplit('/').next().unwrap_or(origin);
    let started_with = command.split_ascii_whitespace().next().unwrap_or_default();
    if started_with.ends_with(file) {
        return false;
    }
    // Maven's coordinates or a version in its name: it was released, and is used here.
    jar(inside, origin).is_some_and(|jar| jar.version.is_some())
}

fn is_archive(path: &str) -> bool {
    let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    matches!(ending.as_str(), "jar" | "war" | "ear" | "zip" | "rar" | "sar")
}

/// What is known of the jar at this path.
pub(super) fn jar<'a>(inside: &'a JvmInside, origin: &str) -> Option<&'a JarIdentity> {
    inside.jars.iter().find(|jar| jar.path.as_str() == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(class: &str, origin: Option<&str>) -> JavaFrame {
        JavaFrame { class: class.into(), origin: origin.map(Into::into), ..JavaFrame::default() }
    }

    fn role(class: &str, origin: Option<&str>) -> Role {
        let inside = JvmInside {
            jars: vec![JarIdentity {
                path: "/srv/app/polyglot-jobs-1.7.2.jar".into(),
                name: "polyglot-jobs".into(),
                version: Some("1.7.2".into()),
                group: None,
            }],
            ..JvmInside::default()
        };
        of_frame(&frame(class, origin), &inside, "/srv/app/app.jar --port 80")
    }

    #[test]
    fn each_role() {
        assert_eq!(role("java.lang.Thread", None), Role::Jdk);
        assert_eq!(role("org.jruby.RubyProc", Some("/usr/share/jruby/lib/jruby.jar")), Role::Runtime);
        assert_eq!(role("org.quartz.core.JobRunShell", Some("/usr/share/java/quartz2.jar")), Role::Framework);
        assert_eq!(role("org.projectodd.Jobs", Some("/srv/app/polyglot-jobs-1.7.2.jar")), Role::Library);
        assert_eq!(role("com.example.Dao", Some("/srv/app/WEB-INF/lib/dao.jar")), Role::Library);
        assert_eq!(role("com.example.Main", Some("/srv/app/app.jar")), Role::Application);
        assert_eq!(role("com.example.Main", Some("/srv/app/classes/")), Role::Application);
        assert_eq!(role("javax.inject.Thing", Some("/srv/app/WEB-INF/lib/inject.jar")), Role::Library);
        assert_eq!(role("com.example.Generated", None), Role::Application);
    }

    #[test]
    fn what_is_packaged_with_the_main_class_is_the_applications() {
        let jar = Some("/srv/app/polyglot-jobs-1.7.2.jar");
        let role = |class, command| of_frame(&frame(class, jar), &JvmInside::default(), command);
        assert_eq!(role("leakcase.Deadline$FreshPool", "leakcase.Main leak"), Role::Application);
        assert_eq!(role("com.example.jobs.Timeout", "com.example.app.Main"), Role::Application);
        assert_eq!(role("com.example.jobs.Timeout", "app/com.example.app.Main"), Role::Application);
        assert!(!is_of_main("com.examples.Jobs", "com.example.Main"));
        assert!(!is_of_main("org.jobs.Timeout", "/srv/app/app.jar"));
        assert!(!is_of_main("Main", "Main"));
    }

    #[test]
    fn frameworks_have_names() {
        assert_eq!(known_as("org.quartz.simpl.SimpleThreadPool$WorkerThread"), Some("Quartz"));
        assert_eq!(known_as("com.example.Main"), None);
    }
}
