use model::Perms;
use proptest::prelude::*;

use super::*;

const SAMPLE: &[u8] = b"\
00400000-0040b000 r-xp 00000000 08:02 173521                             /usr/bin/dbus daemon
687400000-69f000000 rw-p 00000000 00:00 0 
55c1a5a43000-55c1a5a64000 rw-p 00000000 00:00 0                          [heap]
7f67db000000-7f67db030000 rw-p 00000000 00:00 0 
7f67db030000-7f67df000000 ---p 00000000 00:00 0 
7f67df000000-7f67dfbc7000 rw-p 1fffff000 fe:01 1573011                   /usr/lib/jvm/classes.jsa
7f67dfbc7000-7f67dfbc8000 rw-s 00000000 00:01 2049                       /dev/zero (deleted)
7f67dfbc8000-7f67dfbc9000 r--p 00000000 00:00 0                          [heap]
7ffd0d1f2000-7ffd0d1f3000 --xs 00000000 00:0e 4026531957                 a\\012b\x01\xff
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
";

#[test]
fn sample() {
    let space = parse(SAMPLE).unwrap();
    assert_eq!(space.mappings.len(), 10);
    let first = space.mappings[0];
    assert_eq!((first.start, first.end, first.offset), (0x40_0000, 0x40_b000, 0));
    assert_eq!((first.device, first.inode), (8 << 32 | 2, 173_521));
    assert_eq!(first.perms, Perms(Perms::READ | Perms::EXEC));
    assert_eq!(space.name(&first), "/usr/bin/dbus daemon");
    assert_eq!((space.mappings[1].start, space.mappings[1].end), (0x6_8740_0000, 0x6_9f00_0000));
    assert_eq!((space.mappings[3].start, space.mappings[3].end), (0x7f67_db00_0000, 0x7f67_db03_0000));
    assert_eq!(space.mappings[3].name, 0);
    assert!(space.mappings[4].perms.none() && !space.mappings[4].perms.shared());
    assert_eq!((space.mappings[5].offset, space.mappings[5].device), (0x1_ffff_f000, 0xfe << 32 | 1));
    assert_eq!(space.mappings[6].perms, Perms(Perms::READ | Perms::WRITE | Perms::SHARED));
    assert_eq!(space.mappings[7].name, space.mappings[2].name, "each name once");
    assert_eq!(space.names[0].as_str(), "");
    assert_eq!(space.name(&space.mappings[8]), "a\\012b\u{1}\\xff");
    assert_eq!(space.mappings[9].end, 0xffff_ffff_ff60_1000);
    assert_eq!(space.find(0x7f67_db03_0000), Some(4));
}

#[test]
fn arrives_in_any_portions() {
    let whole = parse(SAMPLE).unwrap();
    for size in [1, 2, 7, 48, 49, 50, 100, 1000] {
        let mut parser = Parser::default();
        let mut kept = Vec::new();
        for portion in SAMPLE.chunks(size) {
            kept.extend_from_slice(portion);
            let taken = parser.feed(&kept).unwrap();
            kept.drain(..taken);
        }
        assert_eq!(parser.finish(&kept).unwrap(), whole, "{size}");
    }
}

#[test]
fn the_list_stays_in_order() {
    // A mapping that grew, one that was listed before, one that was merged with the next.
    let space = parse(
        b"7f0000001000-7f0000003000 rw-p 00000000 00:00 0 \n7f0000002000-7f0000005000 rw-p 00000000 00:00 0 \n\
          7f0000001000-7f0000002000 rw-p 00000000 00:00 0 \n7f0000003000-7f0000008000 rw-p 00000000 00:00 0 [x]\n",
    )
    .unwrap();
    let ranges: Vec<_> = space.mappings.iter().map(|m| (m.start & 0xffff, m.end & 0xffff)).collect();
    assert_eq!(ranges, [(0x1000, 0x3000), (0x3000, 0x5000), (0x5000, 0x8000)]);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let good = "7f0000001000-7f0000003000 rw-p 00000000 00:00 0 \n";
    for (line, field) in [
        ("", "first address"),
        ("7f0000003000", "first address"),
        ("7f000000300g-7f0000005000 rw-p 00000000 00:00 0 ", "first address"),
        ("7F0000003000-7f0000005000 rw-p 00000000 00:00 0 ", "first address"),
        ("7f0000003000-7f0000005000_rw-p 00000000 00:00 0 ", "last address"),
        ("7f0000003000-10000000000007f00 rw-p 00000000 00:00 0 ", "last address"),
        ("7f0000003000-7f0000005000 rw-q 00000000 00:00 0 ", "permissions"),
        ("7f0000003000-7f0000005000 wr-p 00000000 00:00 0 ", "permissions"),
        ("7f0000003000-7f0000005000 rw", "permissions"),
        ("7f0000003000-7f0000005000 rw-p x 00:00 0 ", "offset"),
        ("7f0000003000-7f0000005000 rw-p 00000000 0000 0 ", "device"),
        ("7f0000003000-7f0000005000 rw-p 00000000 00:123456789 0 ", "device"),
        ("7f0000003000-7f0000005000 rw-p 00000000 00:00 x", "inode"),
        ("7f0000003000-7f0000005000 rw-p 00000000 00:00 1x", "inode"),
        ("7f0000003000-7f0000005000 rw-p 00000000 00:00 18446744073709551616 ", "inode"),
        ("7f0000005000-7f0000005000 rw-p 00000000 00:00 0 ", "address range"),
        ("7f0000005000-7f0000003000 rw-p 00000000 00:00 0 ", "address range"),
    ] {
        let error = parse(format!("{good}{line}\n{good}").as_bytes()).unwrap_err();
        assert_eq!(error, Absence::Malformed(format!("maps: line 2: {field}")), "{line:?}");
    }
    let cut = parse(format!("{good}7f000000300").as_bytes()).unwrap_err();
    assert_eq!(cut, Absence::Malformed("maps: line 2: cut off".to_owned()));
}

#[test]
fn nothing_is_no_error() {
    assert!(parse(b"").unwrap().mappings.is_empty());
}

/// A mapping and a name as the kernel could list them.
fn listed() -> impl Strategy<Value = (Mapping, String)> {
    let name = prop_oneof![Just(String::new()), "\\[[a-z]{1,8}\\]", "/[ -~é]{0,200}[!-~]"];
    let file = prop_oneof![
        Just((0, 0, 0)),
        (any::<u32>(), 0..4096_u64, 0..0x10_0000_u64, any::<u64>())
            .prop_map(|(page, major, minor, inode)| { (u64::from(page) << 12, major << 32 | minor, inode) })
    ];
    (any::<[u32; 2]>(), 0..16_u8, file, name).prop_map(
        |([gap, size], perms, (offset, device, inode), name)| {
            let mapping = Mapping {
                start: u64::from(gap),
                end: u64::from(size).max(1),
                perms: Perms(perms),
                offset,
                device,
                inode,
                name: 0,
            };
            (mapping, name)
        },
    )
}

/// As fs/proc/task_mmu.c writes it.
fn line(mapping: &Mapping, name: &str) -> String {
    let Mapping { start, end, perms, offset, device, inode, .. } = mapping;
    let (major, minor) = (device >> 32, device & 0xffff_ffff);
    let head =
        format!("{start:08x}-{end:08x} {} {offset:08x} {major:02x}:{minor:02x} {inode} ", perms.letters());
    if name.is_empty() { format!("{head}\n") } else { format!("{head:<73}{name}\n") }
}

proptest! {
    #[test]
    fn what_is_written_is_read(list in prop::collection::vec(listed(), 0..40)) {
        let mut at = 0x1000_u64;
        let mut text = String::new();
        let mut mappings = Vec::new();
        for (mut mapping, name) in list {
            // Gaps and sizes into addresses, in pages; large ones now and then.
            mapping.start = at + (mapping.start << 12) * (mapping.start & 1);
            mapping.end = mapping.start + (mapping.end << 12);
            at = mapping.end;
            text.push_str(&line(&mapping, &name));
            mappings.push((mapping, name));
        }
        let space = parse(text.as_bytes()).unwrap();
        prop_assert_eq!(space.mappings.len(), mappings.len());
        for (read, (written, name)) in space.mappings.iter().zip(&mappings) {
            prop_assert_eq!(space.name(read), name.as_str());
            prop_assert_eq!(Mapping { name: 0, ..*read }, *written);
        }
    }

    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        let _ = parse(&bytes);
    }

    #[test]
    fn one_wrong_byte(at in 0..SAMPLE.len(), byte: u8) {
        let mut text = SAMPLE.to_vec();
        text[at] = byte;
        if let Ok(space) = parse(&text) {
            prop_assert!(space.mappings.iter().all(|m| m.start < m.end && (m.name as usize) < space.names.len()));
            prop_assert!(space.mappings.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
    }
}
