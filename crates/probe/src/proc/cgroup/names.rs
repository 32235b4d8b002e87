//! What a cgroup path tells about who runs the process: a systemd unit, a container.
//!
//! ```text
//! /system.slice/torquebox.service                                     systemd
//! /system.slice/docker-4f5e….scope      /docker/4f5e…                 docker, by systemd or by itself
//! /machine.slice/libpod-4f5e….scope/container                         podman
//! /kubepods.slice/kubepods-pod7a.slice/cri-containerd-4f5e….scope     kubernetes, by containerd
//! /kubepods/burstable/pod7a/4f5e…                                     kubernetes without systemd
//! /lxc.payload.web/system.slice/nginx.service                         lxc
//! ```

use model::Text;

/// What the runtimes put before the id in the name of a group.
const RUNTIMES: [&str; 8] = [
    "docker-",
    "libpod-payload-",
    "libpod-",
    "cri-containerd-",
    "containerd-",
    "crio-",
    "nerdctl-",
    "podman-",
];

/// The innermost systemd unit that is not a container's own scope.
pub(super) fn unit(path: &[u8]) -> Option<Text> {
    let in_container = container(path).is_some();
    let name = parts(path).find(|part| {
        let is_unit = part.ends_with(b".service") || part.ends_with(b".scope");
        // Everything of a user lies in user@UID.service: of a container there, it tells nothing.
        is_unit && container_part(part).is_none() && !(in_container && part.starts_with(b"user@"))
    });
    name.map(Text::from_bytes)
}

/// The id (for lxc the name) of the innermost container.
pub(super) fn container(path: &[u8]) -> Option<Text> {
    let mut inner: Option<&[u8]> = None;
    for part in parts(path) {
        // A runtime's helper process, one for each container, runs outside it.
        if memchr::memmem::find(part, b"conmon-").is_some() || part.starts_with(b"lxc.monitor") {
            return None;
        }
        if let Some(id) = container_part(part) {
            return Some(Text::from_bytes(id));
        }
        if let (b"lxc" | b"lxc.payload", Some(name)) = (part, inner) {
            return Some(Text::from_bytes(name));
        }
        inner = Some(part);
    }
    None
}

/// Innermost first.
fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.rsplit(|byte| *byte == b'/').filter(|part| !part.is_empty())
}

fn container_part(part: &[u8]) -> Option<&[u8]> {
    if let Some(name) = part.strip_prefix(b"lxc.payload.").filter(|name| !name.is_empty()) {
        return Some(name);
    }
    let part = part.strip_suffix(b".scope").unwrap_or(part);
    // `system.slice:docker:4f5e…`: a systemd path given to a runtime that doesn't use systemd.
    let part = part.rsplit(|byte| *byte == b':').next().unwrap_or(part);
    if is_hex(part) && part.len() == 64 {
        return Some(part);
    }
    let id = RUNTIMES.iter().find_map(|runtime| part.strip_prefix(runtime.as_bytes()))?;
    (is_hex(id) && (12..=64).contains(&id.len())).then_some(id)
}

fn is_hex(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "4f5e9a1b2c3d4e5f60718293a4b5c6d7e8f90123456789abcdef0123456789ab";

    fn told(path: &str) -> (Option<String>, Option<String>) {
        let path = path.replace("ID", ID);
        let owned = |text: Option<Text>| text.map(|text| text.as_str().replace(ID, "ID"));
        (owned(unit(path.as_bytes())), owned(container(path.as_bytes())))
    }

    #[test]
    fn units_and_containers() {
        let cases = [
            ("/", None, None),
            ("/system.slice/torquebox.service", Some("torquebox.service"), None),
            ("/user.slice/user-1000.slice/session-3.scope", Some("session-3.scope"), None),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/app-foo.service",
                Some("app-foo.service"),
                None,
            ),
            ("/system.slice/docker-ID.scope", None, Some("ID")),
            ("/docker/ID", None, Some("ID")),
            ("/docker/ID/system.slice/nginx.service", Some("nginx.service"), Some("ID")),
            ("/machine.slice/libpod-ID.scope/container", None, Some("ID")),
            ("/machine.slice/libpod-conmon-ID.scope", Some("libpod-conmon-ID.scope"), None),
            ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope", None, Some("ID")),
            ("/system.slice/web.service/libpod-payload-ID", Some("web.service"), Some("ID")),
            ("/kubepods.slice/kubepods-besteffort-pod7a.slice/cri-containerd-ID.scope", None, Some("ID")),
            ("/kubepods.slice/kubepods-pod7a.slice/crio-ID.scope", None, Some("ID")),
            ("/kubepods/burstable/pod7a/ID", None, Some("ID")),
            ("/kubepods-besteffort-pod7a.slice:cri-containerd:ID", None, Some("ID")),
            ("/lxc.payload.web/system.slice/nginx.service", Some("nginx.service"), Some("web")),
            ("/lxc/web", None, Some("web")),
            ("/lxc.monitor.web", None, None),
            ("/process_api/8a811bc878dd6472e564071844f2aae1", None, None),
            ("/docker-compose.scope", Some("docker-compose.scope"), None),
        ];
        for (path, unit, container) in cases {
            assert_eq!(told(path), (unit.map(str::to_owned), container.map(str::to_owned)), "{path}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_paths_never_panic(path in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = (unit(&path), container(&path));
        }
    }
}
