//! The agent's reading of class files, which runs in the target: compiled here as well, to be tested.

#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)] // the agent's file is made for the agent

#[path = "../agent/bytecode.rs"]
mod bytecode;

use bytecode::{Called, called, calls, index, makes_threads};
use proptest::prelude::*;

fn places(pool: &[u8], count: usize) -> Option<Vec<u32>> {
    let mut places = vec![u32::MAX];
    index(pool, count, |number, at| {
        places.resize(number, u32::MAX);
        places.push(at as u32);
        true
    })
    .then_some(places)
}

/// Constants 1 to 7: a call of java/util/Timer.<init>, and a long, which takes two numbers.
fn pool() -> Vec<u8> {
    let utf8 = |text: &str| [&[1_u8, 0, text.len() as u8][..], text.as_bytes()].concat();
    [
        vec![5, 0, 0, 0, 0, 0, 0, 0, 9],
        vec![10, 0, 4, 0, 6],
        vec![7, 0, 5],
        utf8("java/util/Timer"),
        vec![12, 0, 7, 0, 8],
        utf8("<init>"),
        utf8("()V"),
    ]
    .concat()
}

#[test]
fn calls_are_found_behind_constants_of_two_numbers() {
    let (pool, found) = (pool(), places(&pool(), 9).unwrap());
    let call = called(&pool, &found, 3).unwrap();
    assert_eq!(call, Called { class: b"java/util/Timer", method: b"<init>" });
    assert!(makes_threads(call));
    assert_eq!(called(&pool, &found, 2), None);
    assert_eq!(called(&pool, &found, 4), None, "a class is no call");
    assert_eq!(places(&pool[..20], 9), None, "cut");
}

#[test]
fn switches_and_wide_instructions_are_stepped_over() {
    let mut code = vec![0, 170, 0, 0];
    for number in [0_i32, 1, 2, 10, 20] {
        code.extend(number.to_be_bytes());
    }
    code.extend([196, 132, 0, 1, 0, 1]);
    let at = code.len();
    code.extend([184, 0, 3, 177]);
    let mut found = Vec::new();
    calls(&code, |place, number| found.push((place, number)));
    assert_eq!(found, [(at, 3)]);
}

proptest! {
    #[test]
    fn arbitrary_classes_never_panic(
        pool in prop::collection::vec(any::<u8>(), 0..256),
        count in 0_usize..400,
        code in prop::collection::vec(any::<u8>(), 0..256),
    ) {
        let found = places(&pool, count).unwrap_or_default();
        for number in 0..count {
            let _ = called(&pool, &found, number);
        }
        let mut times = 0;
        calls(&code, |_, _| times += 1);
        prop_assert!(times <= code.len());
    }

    #[test]
    fn switches_that_lie_never_panic(operation in 170_u8..172, numbers in prop::collection::vec(any::<i32>(), 0..6)) {
        let mut code = vec![operation, 0, 0, 0];
        code.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        calls(&code, |_, _| {});
    }
}
