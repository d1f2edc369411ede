//! `Decision`: met, unmet or undetermined (yes, no or could-not-tell), and how decisions combine.

/// The decision on a requirement, or on a rule over several.
///
/// If all of several rules have to be met, one unmet rule is final, even if something could not be read. If any of them
/// is enough, one met rule is final. Every other case with something unknown is undetermined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// It is met.
    Met,
    /// Could not tell: something that could not be read might meet it.
    Undetermined,
    /// It is not met.
    Unmet,
}

impl Decision {
    /// The decision if all of `decisions` must be met: `Met` for an empty list, so a rule has at least one.
    pub fn all(decisions: impl IntoIterator<Item = Self>) -> Self {
        decisions.into_iter().fold(Self::Met, |all, next| match (all, next) {
            (Self::Unmet, _) | (_, Self::Unmet) => Self::Unmet,
            (Self::Undetermined, _) | (_, Self::Undetermined) => Self::Undetermined,
            (Self::Met, Self::Met) => Self::Met,
        })
    }

    /// The decision if any of `decisions` is enough: `Unmet` for an empty list.
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
            (vec![], Met, Unmet),
        ] {
            assert_eq!((Decision::all(list.clone()), Decision::any(list.clone())), (all, any), "{list:?}");
        }
    }
}
