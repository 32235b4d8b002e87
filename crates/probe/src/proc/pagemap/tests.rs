use model::Mapping;
use proptest::prelude::*;

use super::*;

fn mapping(start: u64, end: u64) -> Mapping {
    Mapping { start: start * 4096, end: end * 4096, ..Mapping::default() }
}

/// A kernel whose page tables hold these pages (and guards).
struct Kernel {
    pages: Vec<(u64, bool)>,
    knows_guards: bool,
    calls: Vec<(u64, u64)>,
}

impl Kernel {
    fn ask(
        &mut self,
        start: u64,
        end: u64,
        max_pages: u64,
        guards: bool,
        regions: &mut [Region],
    ) -> Result<usize, Errno> {
        if guards && !self.knows_guards {
            return Err(Errno::INVAL);
        }
        self.calls.push((start / 4096, end / 4096));
        let mut filled = 0_usize;
        let inside = self.pages.iter().filter(|(page, _)| (start..end).contains(&(page * 4096)));
        for (page, guard) in inside.take(max_pages as usize) {
            let categories = if *guard && guards { GUARD } else { 0 };
            let at = page * 4096;
            let last = regions[..filled].last_mut();
            if let Some(last) = last.filter(|last| last.end == at && last.categories == categories) {
                last.end += 4096;
            } else if filled < regions.len() {
                regions[filled] = Region { start: at, end: at + 4096, categories };
                filled += 1;
            } else {
                break;
            }
        }
        Ok(filled)
    }
}

fn count(pages: &[(u64, bool)], mappings: &[Mapping], hints: &[u64], pace: &Pace) -> (Touched, Kernel) {
    let mut kernel = Kernel { pages: pages.to_vec(), knows_guards: true, calls: Vec::new() };
    let touched = walk(mappings, hints, pace, |start, end, most, guards, regions| {
        kernel.ask(start, end, most, guards, regions)
    });
    (touched.unwrap(), kernel)
}

#[test]
fn a_region_may_run_over_several_mappings() {
    let mappings = [mapping(10, 12), mapping(12, 20), mapping(30, 31)];
    let pages: Vec<_> = (11..20).chain([30]).map(|page| (page, false)).collect();
    let (touched, kernel) = count(&pages, &mappings, &[], &Pace::default());
    assert_eq!(touched.bytes, [4096, 8 * 4096, 4096]);
    assert_eq!(kernel.calls, [(10, 31)], "one call for all of it");
}

#[test]
fn large_mappings_are_asked_for_in_parts() {
    // 32 MiB with something in each part: 8 MiB at a time.
    let mappings = [mapping(0x1000, 0x3000), mapping(0x3000, 0x3001)];
    let pages: Vec<_> = (0x1000..0x3000).step_by(0x400).map(|page| (page, false)).collect();
    let (touched, kernel) = count(&pages, &mappings, &[], &Pace::default());
    assert_eq!(touched.bytes, [8 * 4096, 0]);
    assert!(kernel.calls.len() >= 4);
    assert!(kernel.calls.iter().all(|(start, end)| end - start <= 2048), "{:?}", kernel.calls);
    // 16 TiB with nothing in it: not two million calls.
    let (touched, kernel) = count(&[], &[mapping(0x1_0000, 0x1_0000_0000)], &[], &Pace::default());
    assert_eq!(touched.bytes, [0]);
    assert!(kernel.calls.len() < 20_000, "{}", kernel.calls.len());
    // Dense memory after an empty part is still asked for piece by piece.
    let pages: Vec<_> = (0x8_0000..0x8_4000).map(|page| (page, false)).collect();
    let (touched, kernel) = count(&pages, &[mapping(0x1_0000, 0x9_0000)], &[], &Pace::default());
    assert_eq!(touched.bytes, [0x4000 * 4096]);
    let dense = kernel.calls.iter().filter(|(_, end)| *end > 0x8_0000).count();
    assert!(dense >= 8, "2,048 pages at most each: {dense}");
}

#[test]
fn more_regions_than_fit_are_asked_for_again() {
    let pages: Vec<_> = (0x1000..0x1800).step_by(2).map(|page| (page, false)).collect();
    let (touched, kernel) = count(&pages, &[mapping(0x1000, 0x1800)], &[], &Pace::default());
    assert_eq!(touched.bytes, [0x400 * 4096]);
    assert_eq!(kernel.calls.len(), 3, "512, 512, and nothing more");
}

#[test]
fn many_small_mappings_are_asked_for_in_groups() {
    let mappings: Vec<_> = (0..1000).map(|at| mapping(at * 2 + 16, at * 2 + 17)).collect();
    let (touched, kernel) = count(&[(16, false), (2014, false)], &mappings, &[], &Pace::default());
    assert_eq!(kernel.calls.len(), 4);
    assert_eq!(touched.bytes.iter().sum::<u64>(), 2 * 4096);
    assert_eq!((touched.bytes[0], touched.bytes[999]), (4096, 4096));
}

#[test]
fn guards_and_tops_of_stacks_cut_a_mapping() {
    // Two stacks with guards, in one mapping: [guard 100][101..110][guard 110, 111][112..120].
    let pages = [(100, true), (105, false), (109, false), (110, true), (111, true), (119, false)];
    let (touched, _) = count(&pages, &[mapping(100, 120)], &[], &Pace::default());
    assert_eq!(touched.bytes, [3 * 4096]);
    assert_eq!(touched.guards, [(100 * 4096, 101 * 4096), (110 * 4096, 112 * 4096)]);
    let stretch = |start: u64, end: u64, pages: u64| Stretch {
        start: start * 4096,
        end: end * 4096,
        touched: pages * 4096,
    };
    assert_eq!(touched.stretches, [stretch(101, 110, 2), stretch(112, 120, 1)]);
    // Two stacks side by side, told apart by the hints in their last pages, and something above.
    let hints = [109 * 4096 + 736, 119 * 4096 + 736];
    let pages = [(108, false), (109, false), (118, false), (125, false)];
    let (touched, _) = count(&pages, &[mapping(100, 130)], &hints, &Pace::default());
    assert_eq!(touched.stretches, [stretch(100, 110, 2), stretch(110, 120, 1), stretch(120, 130, 1)]);
    // A stack that fills its mapping needs none.
    let (touched, _) = count(&pages, &[mapping(100, 120)], &hints[1..], &Pace::default());
    assert_eq!(touched.stretches, []);
}

#[test]
fn a_kernel_that_knows_no_guards_is_asked_without() {
    let mut kernel = Kernel { pages: vec![(16, false)], knows_guards: false, calls: Vec::new() };
    let touched = walk(&[mapping(16, 20)], &[], &Pace::default(), |start, end, most, guards, regions| {
        kernel.ask(start, end, most, guards, regions)
    });
    assert_eq!(touched.unwrap().bytes, [4096]);
    let never = walk(&[mapping(16, 20)], &[], &Pace::default(), |_, _, _, _, _| Err(Errno::NOTTY));
    assert_eq!(never, Err(Errno::NOTTY));
    let never = walk(&[mapping(16, 20)], &[], &Pace::default(), |_, _, _, _, _| Err(Errno::INVAL));
    assert_eq!(never, Err(Errno::INVAL), "not asked for ever");
}

#[test]
fn the_kernels_own_page_is_not_asked_for() {
    let vsyscall = Mapping { start: 0xffff_ffff_ff60_0000, end: 0xffff_ffff_ff60_1000, ..Mapping::default() };
    let (touched, kernel) = count(&[], &[mapping(16, 20), vsyscall], &[], &Pace::default());
    assert_eq!(touched.bytes, [0, 0]);
    assert_eq!(kernel.calls, [(16, 20)]);
}

proptest! {
    #[test]
    fn every_page_is_counted_once(
        sizes in prop::collection::vec((0..40_u64, 1..200_u64), 1..30),
        pages in prop::collection::btree_map(16..5000_u64, any::<bool>(), 0..400),
        hints in prop::collection::vec(16..5000_u64, 0..10),
        mappings_at_once in 1..20_usize,
        pages_at_once in 1..64_u64,
    ) {
        let mut at = 16;
        let mut mappings = Vec::new();
        for (gap, size) in sizes {
            mappings.push(mapping(at + gap, at + gap + size));
            at += gap + size;
        }
        let pages: Vec<_> = pages.into_iter()
            .filter(|(page, _)| mappings.iter().any(|m| (m.start..m.end).contains(&(page * 4096)))).collect();
        let mut hints: Vec<_> = hints.into_iter().map(|page| page * 4096 + 8).collect();
        hints.sort_unstable();
        let pace = Pace { scan_mappings: mappings_at_once, scan_bytes: pages_at_once * 4096, ..Pace::default() };
        let (touched, _) = count(&pages, &mappings, &hints, &pace);
        for (mapping, bytes) in mappings.iter().zip(&touched.bytes) {
            let inside = |page: &u64| (mapping.start..mapping.end).contains(&(page * 4096));
            let expected = pages.iter().filter(|(page, guard)| !guard && inside(page)).count() as u64 * 4096;
            prop_assert_eq!(*bytes, expected);
            // Where there are stretches, they hold all of it.
            let stretches: Vec<_> = touched.stretches.iter()
                .filter(|stretch| (mapping.start..mapping.end).contains(&stretch.start)).collect();
            if !stretches.is_empty() {
                prop_assert_eq!(stretches.iter().map(|stretch| stretch.touched).sum::<u64>(), expected);
            }
        }
        let guards = touched.guards.iter().map(|(start, end)| (end - start) / 4096).sum::<u64>();
        prop_assert_eq!(guards, pages.iter().filter(|(_, guard)| *guard).count() as u64);
        prop_assert!(touched.guards.windows(2).all(|pair| pair[0].1 <= pair[1].0));
    }

    #[test]
    fn a_kernel_that_lies(
        answers in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>()), 1..20),
        full: bool,
    ) {
        let mappings = [mapping(16, 40), mapping(40, 5000), mapping(6000, 6001)];
        let mut calls = 0;
        let _ = walk(&mappings, &[17 * 4096], &Pace::default(), |_, _, _, _, regions| {
            calls += 1;
            let mut filled = 0;
            for (region, (start, end, categories)) in regions.iter_mut().zip(answers.iter().cycle().take(if full { 512 } else { answers.len() })) {
                *region = Region { start: *start, end: *end, categories: *categories };
                filled += 1;
            }
            if calls > 1000 { Err(Errno::IO) } else { Ok(filled) }
        });
    }
}
