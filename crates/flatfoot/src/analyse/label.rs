//! What a process is called besides its `comm`: unit, container, main class, script.

use model::{ProcessReading, Text};

/// Longest label in a table.
const LONGEST: usize = 32;

/// Programs whose `comm` says nothing about what they run.
const INTERPRETERS: [&str; 9] = ["java", "python", "python3", "ruby", "node", "perl", "php", "bash", "sh"];

/// Unit, container or what an interpreter runs; `None` when `comm` says it all.
pub(crate) fn label(process: &ProcessReading) -> Option<Text> {
    let cgroups = process.cgroups.value();
    if let Some(unit) = cgroups.and_then(|c| c.unit.as_ref()) {
        let unit = unit.as_str();
        return Some(Text::from(unit.strip_suffix(".service").unwrap_or(unit)));
    }
    if let Some(container) = cgroups.and_then(|c| c.container.as_ref()) {
        return Some(Text::from(container.as_str().chars().take(12).collect::<String>()));
    }
    runs(process).map(Text::from)
}

/// What survives a restart: unit, container, or program with what it runs.
pub(crate) fn identity(process: &ProcessReading) -> String {
    let cgroups = process.cgroups.value();
    if let Some(unit) = cgroups.and_then(|c| c.unit.as_ref()) {
        return format!("unit:{}", unit.as_str());
    }
    if let Some(container) = cgroups.and_then(|c| c.container.as_ref()) {
        return format!("container:{}", container.as_str());
    }
    format!("command:{}:{}", process.stat.name.as_str(), runs(process).unwrap_or_default())
}

/// The main class, jar or script of an interpreter: its first argument that is no option.
fn runs(process: &ProcessReading) -> Option<String> {
    let args = process.cmdline.value()?;
    let program = args.first()?.as_str().rsplit('/').next()?;
    let known = |name: &str| INTERPRETERS.iter().any(|i| name == *i || name.starts_with("python3."));
    if !known(program) && !known(process.stat.name.as_str()) {
        return None;
    }
    let mut rest = args[1..].iter().map(Text::as_str);
    let what = loop {
        match rest.next()? {
            // Options of java that take the next argument.
            "-cp" | "-classpath" | "--class-path" | "-p" | "--module-path" | "--add-opens"
            | "--add-modules" => {
                rest.next();
            }
            "-jar" | "-m" => break rest.next()?,
            // JRuby's launcher puts a file of options first: @/usr/share/jruby/bin/.jruby.module_opts.
            option if option.starts_with(['-', '@']) => {}
            what => break what,
        }
    };
    let short = what.rsplit('/').next().unwrap_or(what);
    (!short.is_empty()).then(|| short.chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use model::{Reading, Stat};

    use super::*;

    fn process(name: &str, args: &[&str]) -> ProcessReading {
        ProcessReading {
            stat: Stat { name: name.into(), ..Stat::default() },
            cmdline: Reading::Value(args.iter().map(|a| Text::from(*a)).collect()),
            ..ProcessReading::default()
        }
    }

    #[test]
    fn an_interpreter_is_called_by_what_it_runs() {
        let java =
            process("java", &["/usr/bin/java", "-Xmx1g", "-cp", "/a.jar:/b.jar", "leakcase.Main", "leak"]);
        assert_eq!(label(&java), Some("leakcase.Main".into()));
        let jruby = ["java", "@/opt/jruby/.module_opts", "-cp", "a.jar", "org.jruby.Main", "/srv/app.rb"];
        assert_eq!(label(&process("java", &jruby)), Some("org.jruby.Main".into()));
        let jar = process("java", &["java", "-jar", "/opt/app/shop.jar"]);
        assert_eq!(label(&jar), Some("shop.jar".into()));
        assert_eq!(label(&process("python3", &["python3", "/srv/x.py"])), Some("x.py".into()));
        assert_eq!(label(&process("mysqld", &["/usr/sbin/mysqld", "--user=mysql"])), None);
        assert_eq!(label(&process("java", &["java", "-version"])), None);
    }
}
