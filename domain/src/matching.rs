//! The matching number: the new device shows one, the other device offers three.
//!
//! Who approves has to look at both devices. Whoever only nags somebody into a tap is right one time in three, and a wrong
//! number is a no.

/// Numbers that are offered.
pub const CHOICES: usize = 3;
/// The smallest number; all have two digits.
const FIRST: u32 = 10;
/// How many two-digit numbers there are.
const COUNT: u32 = 90;

/// One number to show and three, among them that one, to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matching {
    /// What the new device shows.
    pub shown: u32,
    /// What the other device offers, smallest first, so that the place says nothing.
    pub choices: [u32; CHOICES],
}

impl Matching {
    /// Draws them. `below` returns a random number below its argument.
    #[must_use]
    pub fn draw(mut below: impl FnMut(u32) -> u32) -> Self {
        let mut choices = [0; CHOICES];
        for (drawn, left) in (0..CHOICES).zip((1..=COUNT).rev()) {
            // The how-manieth of those that are left; each smaller one that is taken moves it up by one.
            let mut number = FIRST + below(left);
            for taken in &choices[..drawn] {
                number += u32::from(*taken <= number);
            }
            choices[drawn] = number;
            choices[..=drawn].sort_unstable();
        }
        let shown = below(3) as usize;
        Self { shown: choices[shown.min(CHOICES - 1)], choices }
    }

    /// The three in one line of text, for the database.
    #[must_use]
    pub fn choices_text(&self) -> String {
        self.choices.map(|number| number.to_string()).join(" ")
    }

    /// Reads that line; what is no number is left out.
    #[must_use]
    pub fn read_choices(text: &str) -> Vec<u32> {
        text.split(' ').filter_map(|number| number.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_extremes_are_two_digits_and_differ() {
        assert_eq!(Matching::draw(|_| 0).choices, [10, 11, 12]);
        assert_eq!(Matching::draw(|bound| bound - 1), Matching { shown: 99, choices: [97, 98, 99] });
    }

    proptest! {
        #[test]
        fn three_different_numbers_of_two_digits_with_the_shown_one(draws in proptest::array::uniform4(any::<u32>())) {
            let mut next = draws.into_iter();
            let drawn = Matching::draw(|bound| next.next().unwrap_or(0) % bound);
            prop_assert!(drawn.choices.iter().all(|number| (10..=99).contains(number)));
            prop_assert!(drawn.choices[0] < drawn.choices[1] && drawn.choices[1] < drawn.choices[2]);
            prop_assert!(drawn.choices.contains(&drawn.shown));
            prop_assert_eq!(Matching::read_choices(&drawn.choices_text()), drawn.choices);
        }

        #[test]
        fn any_number_can_be_among_them(number in 10_u32..100) {
            let drawn = Matching::draw(|bound| (number - 10).min(bound - 1));
            prop_assert!(drawn.choices.contains(&number));
        }
    }
}
