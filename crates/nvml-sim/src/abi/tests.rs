//! How values, lists, strings and versioned structures go back to a caller, whatever room it has made.

use proptest::prelude::*;

use super::code::Code;
use super::ffi::{Array, CharBuf, InOut, Out, Tagged, Versioned};
use super::layout::{MemoryV2, TemperatureReading, fixed};

const UNTOUCHED: u8 = 0xAB;

proptest! {
    #[test]
    fn a_list_says_its_length_and_is_copied_only_where_it_fits(length in 0_usize..20, room in 0_usize..20) {
        let items: Vec<u64> = (1..=length as u64).collect();
        let mut places = vec![0_u64; room + 1];
        let mut count = room as u32;
        let result = Array::from(&mut places[..]).fill(&InOut::from(&mut count), &items);
        prop_assert_eq!(count as usize, length);
        if length <= room {
            prop_assert_eq!(result, Ok(()));
            prop_assert_eq!(&places[..length], &items[..]);
        } else {
            prop_assert_eq!(result, Err(Code::INSUFFICIENT_SIZE));
            prop_assert!(places.iter().all(|place| *place == 0));
        }
        prop_assert!(places[length.min(room)..].iter().all(|place| *place == 0));
    }

    #[test]
    fn a_string_is_written_whole_with_its_end_or_not_at_all(text in "[a-z]{0,20}", room in 0_usize..24) {
        let mut places = [UNTOUCHED; 32];
        let result = CharBuf::from(&mut places[..]).write(room as u32, text.as_bytes());
        if text.len() < room {
            prop_assert_eq!(result, Ok(()));
            prop_assert_eq!(&places[..text.len()], text.as_bytes());
            prop_assert_eq!(places[text.len()], 0);
            prop_assert!(places[text.len() + 1..].iter().all(|place| *place == UNTOUCHED));
        } else {
            prop_assert_eq!(result, Err(Code::INSUFFICIENT_SIZE));
            prop_assert!(places.iter().all(|place| *place == UNTOUCHED));
        }
    }

    #[test]
    fn only_the_declared_structure_is_accepted(tag: u32) {
        let mut place = [0_u64; 8];
        place[0] = u64::from(tag);
        let accepted = Tagged::from(&mut place).of::<MemoryV2>().map(drop);
        prop_assert_eq!(accepted, if tag == MemoryV2::TAG { Ok(()) } else { Err(Code::VERSION_MISMATCH) });
    }

    #[test]
    fn a_fixed_field_always_ends(text in "[a-z]{0,40}") {
        let field: [u8; 16] = fixed(&text);
        prop_assert_eq!(field[15], 0);
        let kept = text.len().min(15);
        prop_assert_eq!(&field[..kept], &text.as_bytes()[..kept]);
    }
}

#[test]
fn tags_are_the_size_and_the_version() {
    assert_eq!(MemoryV2::TAG, 40 | 2 << 24);
    assert_eq!(TemperatureReading::TAG, 12 | 1 << 24);
}

#[test]
fn null_is_an_invalid_argument() {
    let mut count = 3;
    let nowhere = || Array::<u64>::at(0);
    assert_eq!(
        nowhere().fill(&InOut::from(&mut count), &[1, 2]),
        Err(Code::INVALID_ARGUMENT)
    );
    assert_eq!(nowhere().item(5).read(), Err(Code::INVALID_ARGUMENT));
    assert_eq!(nowhere().item(5).write(1), Err(Code::INVALID_ARGUMENT));
    count = 0;
    assert_eq!(
        nowhere().fill(&InOut::from(&mut count), &[1, 2]),
        Err(Code::INSUFFICIENT_SIZE)
    );
    assert_eq!(count, 2);
    let mut value = 0_u32;
    assert_eq!(Out::from(&mut value).write(7), Ok(()));
    assert_eq!(value, 7);
}
