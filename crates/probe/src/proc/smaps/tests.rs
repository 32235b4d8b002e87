use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::proc::maps;

/// As Linux 6.18 writes a block.
fn block(numbers: &[u64; 10], flags: &str) -> String {
    let [rss, pss, clean, dirty, private_clean, private_dirty, anonymous, huge, swap, hugetlb] = numbers;
    let mut text = String::new();
    for (name, kib) in [
        ("Size:", 4),
        ("KernelPageSize:", 4),
        ("MMUPageSize:", 4),
        ("Rss:", *rss),
        ("Pss:", *pss),
        ("Pss_Dirty:", 0),
        ("Shared_Clean:", *clean),
        ("Shared_Dirty:", *dirty),
        ("Private_Clean:", *private_clean),
        ("Private_Dirty:", *private_dirty),
        ("Referenced:", *rss),
        ("Anonymous:", *anonymous),
        ("KSM:", 0),
        ("LazyFree:", 0),
        ("AnonHugePages:", *huge),
        ("ShmemPmdMapped:", 0),
        ("FilePmdMapped:", 0),
        ("Shared_Hugetlb:", 0),
    ] {
        writeln!(text, "{name:16}{kib:8} kB").unwrap();
    }
    writeln!(text, "Private_Hugetlb: {hugetlb:7} kB").unwrap();
    for (name, kib) in [("Swap:", *swap), ("SwapPss:", 0), ("Locked:", 0)] {
        writeln!(text, "{name:16}{kib:8} kB").unwrap();
    }
    text.push_str("THPeligible:           0\n");
    text + &format!("VmFlags: {flags}\n")
}

fn header(number: u64) -> String {
    let start = 0x7f00_0000_0000 + number * 0x2000;
    format!("{start:x}-{:x} rw-p 00000000 00:00 0 \n", start + 0x1000)
}

fn detail(numbers: &[u64; 10], flags: u16) -> MappingDetail {
    let [rss, pss, shared_clean, shared_dirty, private_clean, private_dirty, anonymous, huge, swap, _] =
        numbers.map(Bytes::from_kib);
    let flags = VmFlags(flags);
    MappingDetail {
        rss,
        pss,
        private_dirty,
        private_clean,
        shared_dirty,
        shared_clean,
        anonymous,
        huge,
        swap,
        flags,
    }
}

#[test]
fn blocks_like_the_first_and_others() {
    let numbers = [168, 100, 1, 2, 3, 162, 160, 2048, 12, 4];
    // More than eight digits shift the rest of the block.
    let large = [1_234_567_890, 1_234_567_890, 0, 0, 0, 1_234_567_890, 0, 0, 0, 0];
    let all = [
        (numbers, "rd wr mr mw me ac sd ", VmFlags::ACCOUNTED),
        (numbers, "rd wr mr mw me nr nh gu sd ", VmFlags::NO_RESERVE | VmFlags::NO_HUGE | VmFlags::GUARDED),
        (large, "ht lo io gd", VmFlags::HUGETLB | VmFlags::LOCKED | VmFlags::IO | VmFlags::GROWS_DOWN),
        (numbers, "", 0),
        ([0; 10], "rd ac", VmFlags::ACCOUNTED),
    ];
    let mut text = String::new();
    for (number, (numbers, flags, _)) in all.iter().enumerate() {
        text.push_str(&header(number as u64));
        text.push_str(&block(numbers, flags));
    }
    let (space, touched) = parse(text.as_bytes()).unwrap();
    let details = space.details.value().unwrap();
    assert_eq!(details.len(), all.len());
    for (at, (numbers, _, flags)) in all.iter().enumerate() {
        assert_eq!(details[at], detail(numbers, *flags), "{at}");
        assert_eq!(touched[at], (numbers[0] + numbers[8] + numbers[9]) * 1024, "{at}");
    }
}

#[test]
fn a_line_with_another_name_is_not_taken_for_the_one_before() {
    let block = block(&[8; 10], "rd ac");
    let other = block.replacen("Rss: ", "Xyz: ", 1);
    let (space, _) =
        parse((header(0) + &block + &header(1) + &other + &header(2) + &block).as_bytes()).unwrap();
    let rss: Vec<_> = space.details.value().unwrap().iter().map(|detail| detail.rss.0).collect();
    assert_eq!(rss, [8192, 0, 8192]);
}

#[test]
fn an_older_kernel_has_fewer_lines() {
    let older = "Rss:                  8 kB\nPss:                  4 kB\nSwap:                 0 kB\nVmFlags: rd ac \n";
    let text = header(0) + older + &header(1) + older + &header(2);
    let (space, touched) = parse(text.as_bytes()).unwrap();
    let details = space.details.value().unwrap();
    assert_eq!(touched, [8192, 8192, 0]);
    assert_eq!(details[0].pss, Bytes::from_kib(4));
    assert_eq!(details[1], details[0]);
    assert_eq!(details[2], MappingDetail::default(), "a block that is missing");
}

#[test]
fn a_mapping_listed_twice_has_one_detail() {
    let one = header(3) + &block(&[8; 10], "ac");
    let text = one.clone() + &one + &header(4) + &block(&[16; 10], "");
    let (space, touched) = parse(text.as_bytes()).unwrap();
    assert_eq!(space.mappings.len(), 2);
    assert_eq!(space.details.value().unwrap().len(), 2);
    assert_eq!(touched, [24 * 1024, 48 * 1024]);
}

#[test]
fn wrong_numbers_are_named() {
    let text = header(0) + "Size:                  8 kB\nRss:               8x kB\n";
    assert_eq!(
        parse(text.as_bytes()).unwrap_err(),
        Absence::Malformed("smaps: line 3: size in kB".to_owned())
    );
    let text = header(0) + "Rss:                  8 kB\nVmFl";
    assert!(matches!(parse(text.as_bytes()), Err(Absence::Malformed(_))));
}

#[test]
fn own_smaps_list_what_own_maps_list() {
    let smaps = std::fs::read("/proc/self/smaps").unwrap();
    let (space, touched) = parse(&smaps).unwrap();
    let headers: Vec<u8> = smaps
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !line[0].is_ascii_uppercase())
        .flatten()
        .copied()
        .collect();
    let maps = maps::parse(&headers).unwrap();
    assert_eq!(space.mappings, maps.mappings);
    assert_eq!(space.names, maps.names);
    let details = space.details.value().unwrap();
    assert_eq!((details.len(), touched.len()), (maps.mappings.len(), maps.mappings.len()));
    // The plain way: every line for itself.
    let text = String::from_utf8_lossy(&smaps);
    let sum = |name: &str| -> u64 {
        let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        lines.map(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024).sum()
    };
    let total = |of: fn(&MappingDetail) -> Bytes| details.iter().map(|detail| of(detail).0).sum::<u64>();
    assert_eq!(total(|detail| detail.rss), sum("Rss"));
    assert_eq!(total(|detail| detail.pss), sum("Pss"));
    assert_eq!(total(|detail| detail.private_dirty), sum("Private_Dirty"));
    assert_eq!(total(|detail| detail.private_clean), sum("Private_Clean"));
    assert_eq!(total(|detail| detail.shared_clean), sum("Shared_Clean"));
    assert_eq!(total(|detail| detail.shared_dirty), sum("Shared_Dirty"));
    assert_eq!(total(|detail| detail.anonymous), sum("Anonymous"));
    assert_eq!(total(|detail| detail.huge), sum("AnonHugePages"));
    assert_eq!(total(|detail| detail.swap), sum("Swap"));
    let accounted = details.iter().filter(|detail| detail.flags.has(VmFlags::ACCOUNTED)).count();
    assert_eq!(
        accounted,
        text.lines().filter(|line| line.starts_with("VmFlags:") && line.contains(" ac")).count()
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        blocks in prop::collection::vec((prop::array::uniform10(0..2_000_000_000_u64), 0..2_u16), 1..12),
        portion in 1..3000_usize,
    ) {
        let mut text = String::new();
        for (number, (numbers, flags)) in blocks.iter().enumerate() {
            text.push_str(&header(number as u64));
            text.push_str(&block(numbers, if *flags == VmFlags::ACCOUNTED { "rd ac sd " } else { "rd sd " }));
        }
        let mut parser = Parser::default();
        let mut kept = Vec::new();
        for portion in text.as_bytes().chunks(portion) {
            kept.extend_from_slice(portion);
            let taken = parser.feed(&kept).unwrap();
            kept.drain(..taken);
        }
        let (space, _) = parser.finish(&kept).unwrap();
        let expected: Vec<_> = blocks.iter().map(|(numbers, flags)| detail(numbers, *flags)).collect();
        prop_assert_eq!(space.details, Reading::Value(expected));
    }

    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        let _ = parse(&bytes);
    }

    #[test]
    fn one_wrong_byte(at in 0..1400_usize, byte: u8) {
        let block = block(&[8; 10], "rd ac ");
        let mut text = (header(0) + &block + &header(1) + &block).into_bytes();
        if let Some(place) = text.get_mut(at) {
            *place = byte;
        }
        if let Ok((space, touched)) = parse(&text) {
            prop_assert_eq!(space.details.value().map(Vec::len), Some(space.mappings.len()));
            prop_assert_eq!(touched.len(), space.mappings.len());
        }
    }
}
