//! The command `tree`.

use std::sync::Arc;

use bulla::envelope::Strictness;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::ops::pinned;
use bulla::ops::tree;
use bulla::ops::tree::TreeNode;
use bulla::ops::tree::TreeTrust;
use bulla::report::Report;
use bulla::report::ReportedTrustedRoot;
use bulla::report::TreeResult;
use bulla::report::WithTrustedRoot;
use bulla::store::Source;
use bulla::time::Time;
use bulla::trust::RevocationCheck;
use bulla::trust::TrustRoot;

use super::args::TreeArgs;
use super::args::TreeOutput;
use super::envelope_reader;
use super::exit::Exit;
use super::exit::Failure;
use super::line::Foreign;
use super::line::Lines;
use super::node::document_details;
use super::node::document_line;
use super::node::mark_line;
use super::node::node_line;
use super::node::statement_lines;
use super::picture;
use super::policy_evaluator::EvaluatedByPolicies;
use super::policy_evaluator::EvaluatedName;
use super::policy_evaluator::PolicyEvaluator;
use super::policy_reports::PolicyReports;
use super::policy_set::PolicySet;
use super::policy_verdict;
use super::render;
use super::revocation;
use super::runtime::Runtime;
use super::runtime::Work;
use super::stores::Stores;
use super::trust;
use super::trust::CommandTrust;
use super::trust_policy::StatementTrust;
use super::trust_policy::TrustPolicy;

pub(super) fn tree(args: &TreeArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let policy = args.policy.without_reports();
    let policies = match policy.is_given() {
        true => {
            let mut reports = PolicyReports::begin(&policy, "tree", now)?;
            Some(PolicySet::load(&policy, (&args.token, &args.registry), now, &limits, &mut reports)?)
        }
        false => None,
    };
    let ShownTrust { root, trusted_root } = match &policies {
        Some(policies) => ShownTrust::of(policies),
        None => trust_root(args, now, &limits)?,
    };
    let (revocation, strictness) = reading(args, policies.as_ref(), root.as_ref(), &limits)?;
    let trust = root.as_ref().map(TreeTrust::new).map(|trust| trust.with_envelope_reader(strictness));
    let trust = trust.map(|trust| match &revocation {
        Some(check) => trust.with_revocation(check),
        None => trust,
    });
    let stores = Stores::new(&args.registry, [&args.reference])?;
    let runtime = Runtime::new(Work::Waiting)?;
    let (source, tag_or_digest) = stores.source(&args.reference)?;
    let name =
        policies.as_ref().map(|_| EvaluatedName::of(&args.reference, policy.judged_as.as_deref())).transpose()?;
    let evaluator = policies.as_ref().map(|policies| PolicyEvaluator {
        evidence: &[],
        limits: &limits,
        lookup: None,
        now,
        platform: None,
        policies,
        revocation: revocation.as_ref(),
        strictness,
    });
    let (shown, evaluated) = runtime.block_on(async {
        let root = pinned::resolve(source.as_ref(), &tag_or_digest).await.map_err(Failure::from)?;
        let tree = tree::tree(source.as_ref(), root.clone(), trust, now, &limits);
        let mut shown = tree.await.map_err(Failure::from)?;
        let evaluated = match (evaluator, &name) {
            (Some(evaluator), Some(name)) => {
                Some(evaluated(source.as_ref(), &root, &mut shown, evaluator, name).await?)
            }
            _ => None,
        };
        Ok::<_, Failure>((shown, evaluated))
    })?;
    report(args, &shown, evaluated.as_ref(), trusted_root);
    // A tree with unread parts is incomplete: could not tell.
    Ok(if shown.has_problems() { Exit::Unknown } else { Exit::Yes })
}

/// Prints the tree in the form that is wanted, and what the policies say of the image.
fn report(
    args: &TreeArgs,
    shown: &TreeNode,
    evaluated: Option<&EvaluatedByPolicies<'_>>,
    trusted_root: Option<Box<ReportedTrustedRoot>>,
) {
    let result = || {
        let result = TreeResult::of(&args.reference, shown);
        match evaluated {
            Some(evaluated) => result.by_policies(&evaluated.outcomes, evaluated.exit().into()),
            None => result,
        }
    };
    match args.output {
        TreeOutput::Dot => render::text(&picture::dot(&args.reference, shown)),
        TreeOutput::Json => {
            let result = WithTrustedRoot::new(result(), trusted_root.as_deref());
            render::report(&Report::new("tree", vec![result]));
        }
        TreeOutput::Svg => render::text(&picture::svg(&args.reference, shown)),
        TreeOutput::Text => {
            show(&args.reference, shown);
            if let Some(evaluated) = evaluated {
                policy_verdict::below_tree(evaluated);
            }
        }
    }
}

/// What the policies say of the image, and marks in its tree. The verdict is that of `verify`, which stops where a policy is
/// met; the marks are of all evidence.
async fn evaluated<'a>(
    source: &dyn Source,
    root: &Content,
    shown: &mut TreeNode,
    evaluator: PolicyEvaluator<'a>,
    name: &EvaluatedName,
) -> Result<EvaluatedByPolicies<'a>, Failure> {
    let evaluated = evaluator.evaluate(source, root, evaluator.options(name)).await?;
    let all = evaluator.evaluate(source, root, evaluator.options(name).with_all_evidence()).await?;
    all.outcomes.iter().for_each(|(_, outcome)| shown.mark(&outcome.marks()));
    Ok(evaluated)
}

/// The check of revocation, and the reader of envelopes. Policies say themselves whose certificates count.
fn reading(
    args: &TreeArgs,
    policies: Option<&PolicySet>,
    trust: Option<&TrustRoot>,
    limits: &Limits,
) -> Result<(Option<Arc<RevocationCheck>>, Strictness), Failure> {
    let TreeArgs { certificates, notation, .. } = args;
    let (check, strictness) = match policies {
        Some(policies) => (
            revocation::check_by_policies(&certificates.revocation, None, policies.identities(), limits)?,
            envelope_reader::by_policies(certificates.envelope_reader, policies.identities())?,
        ),
        None => {
            let check = revocation::check(certificates, None, notation, limits)?;
            let identities = trust.into_iter().flat_map(TrustRoot::identities);
            revocation::require_certificates(&certificates.revocation, None, identities)?;
            (check, envelope_reader::strictness(certificates, notation)?)
        }
    };
    Ok((check.map(Arc::new), strictness))
}

/// Whose signatures are marked: nobody's without keys and certificates.
#[derive(Default)]
struct ShownTrust {
    root: Option<TrustRoot>,
    trusted_root: Option<Box<ReportedTrustedRoot>>,
}

impl ShownTrust {
    /// The owners of the policy. Several policies may call different people by one name, so nobody is marked as trusted.
    fn of(policies: &PolicySet) -> Self {
        let root = match policies.entries() {
            [one] => one.policy.trust().cloned(),
            _ => None,
        };
        Self { root, trusted_root: None }
    }
}

fn trust_root(args: &TreeArgs, now: Time, limits: &Limits) -> Result<ShownTrust, Failure> {
    let TreeArgs { certificates, key, notation, reference, token, .. } = args;
    match (&notation.trust_policy, &notation.trust_store) {
        (Some(policy), Some(store)) => {
            let policy = TrustPolicy::read(policy, store, notation.scope.as_deref(), limits, StatementTrust::enforced)?;
            Ok(ShownTrust { root: Some(policy.of(reference)?.clone()), trusted_root: None })
        }
        _ if key.is_empty() && !certificates.is_given() => Ok(ShownTrust::default()),
        _ => {
            let CommandTrust { root, trusted_root } = trust::trust_root(key, certificates, token, now, limits)?;
            Ok(ShownTrust { root: Some(root), trusted_root })
        }
    }
}

/// Prints the tree, node by node.
fn show(reference: &str, root: &TreeNode) {
    render::line(reference);
    branch(root, "", "");
}

fn branch(node: &TreeNode, first: &str, rest: &str) {
    let mut shown = Lines::from_iter([format_args!("{first}{}", node_line(node))]);
    for document in &node.signed {
        shown.push(format_args!("{rest}  {}", document_line(document)));
        for line in document_details(document) {
            shown.push(format_args!("{rest}    {line}"));
        }
    }
    for line in statement_lines(node) {
        shown.push(format_args!("{rest}  {line}"));
    }
    for mark in &node.marks {
        shown.push(format_args!("{rest}  {}", mark_line(mark)));
    }
    for problem in &node.problems {
        shown.push(format_args!("{rest}  not read: {}", Foreign(problem)));
    }
    render::text(&shown);
    let last = node.attached.len().saturating_sub(1);
    for (index, attached) in node.attached.iter().enumerate() {
        let (corner, line) = if index == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        branch(attached, &format!("{rest}{corner}"), &format!("{rest}{line}"));
    }
}
