//! `Decision`: yes, no or could-not-tell, and how decisions combine.

/// What is decided about a requirement, or about a rule over several.
///
/// A no is final where all of several rules have to hold, even if something could not be looked at; a yes where any of
/// them is enough. Everything else that is not known is could-not-tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It holds.
    Met,
    /// Nobody can tell: what was not looked at could make it hold.
    Undetermined,
    /// It does not hold.
    Unmet,
}

impl Decision {
    /// The decision where all of `decisions` have to hold.
    pub fn all(decisions: impl IntoIterator<Item = Self>) -> Self {
        decisions.into_iter().fold(Self::Met, |all, next| match (all, next) {
            (Self::Unmet, _) | (_, Self::Unmet) => Self::Unmet,
            (Self::Undetermined, _) | (_, Self::Undetermined) => Self::Undetermined,
            (Self::Met, Self::Met) => Self::Met,
        })
    }

    /// The decision where any of `decisions` is enough.
    pub fn any(decisions: impl IntoIterator<Item = Self>) -> Self {
        decisions.into_iter().fold(Self::Unmet, |any, next| match (any, next) {
            (Self::Met, _) | (_, Self::Met) => Self::Met,
            (Self::Undetermined, _) | (_, Self::Undetermined) => Self::Undetermined,
            (Self::Unmet, Self::Unmet) => Self::Unmet,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Decision::Met;
    use Decision::Undetermined;
    use Decision::Unmet;

    #[test]
    fn no_is_final_for_all_and_yes_for_any() {
        for (list, all, any) in [
            (vec![Met, Met], Met, Met),
            (vec![Met, Undetermined], Undetermined, Met),
            (vec![Undetermined, Met], Undetermined, Met),
            (vec![Met, Unmet], Unmet, Met),
            (vec![Undetermined, Unmet], Unmet, Undetermined),
            (vec![Unmet, Undetermined, Met], Unmet, Met),
            (vec![Unmet, Unmet], Unmet, Unmet),
        ] {
            assert_eq!((Decision::all(list.clone()), Decision::any(list.clone())), (all, any), "{list:?}");
        }
    }
}
