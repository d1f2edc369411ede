//! The command `revocation show`: the CRLs and OCSP responses in a file.

use bulla::limits::Limits;
use bulla::report::Report;
use bulla::report::RevocationShowResult;
use bulla::time::Time;
use bulla::trust::RevocationDocument;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::line::Foreign;
use crate::cli::line::Lines;
use crate::cli::quantity::count;
use crate::cli::render;
use crate::cli::revocation::args::RevocationShowArgs;
use crate::cli::revocation::check;
use crate::cli::revocation::check::EvidenceFile;

pub(super) fn show(args: &RevocationShowArgs) -> Result<Exit, Failure> {
    let file = check::read(&args.file, &Limits::DEFAULT)?;
    match args.output {
        Output::Json => render::report(&Report::new("revocation show", vec![result(args, file)])),
        Output::Text => render::text(&page(file)),
    }
    Ok(Exit::Yes)
}

fn result(args: &RevocationShowArgs, file: EvidenceFile) -> RevocationShowResult {
    let mut result = RevocationShowResult::new(&args.file);
    match file {
        EvidenceFile::Bundle(bundle) => bundle.entries().for_each(|entry| result.add_entry(entry)),
        EvidenceFile::Crls(crls) => crls.into_iter().for_each(|crl| result.add(&RevocationDocument::Crl(crl))),
        EvidenceFile::Ocsp(response) => result.add(&RevocationDocument::Ocsp(response)),
    }
    result
}

fn page(file: EvidenceFile) -> Lines {
    let mut lines = Lines::default();
    match file {
        EvidenceFile::Bundle(bundle) => {
            for entry in bundle.entries() {
                document(entry.document(), &mut lines);
                for (address, time) in entry.sources() {
                    lines.push(format_args!("  from         {} at {time}", Foreign(address)));
                }
            }
            lines.push(format_args!(
                "{} of revocation evidence; addresses and times of the fetch are not signed, and no signature was \
                 verified here",
                count(bundle.entries().count(), "piece")
            ));
        }
        EvidenceFile::Crls(crls) => {
            crls.into_iter().for_each(|crl| document(&RevocationDocument::Crl(crl), &mut lines));
        }
        EvidenceFile::Ocsp(response) => document(&RevocationDocument::Ocsp(response), &mut lines),
    }
    lines
}

fn document(document: &RevocationDocument, lines: &mut Lines) {
    let next = |next: Option<Time>| next.map_or_else(|| "none".to_owned(), |next| next.to_string());
    match document {
        RevocationDocument::Crl(crl) => {
            lines.push(format_args!("CRL of {}", Foreign(crl.issuer())));
            lines.push(format_args!("  this update  {}, next update {}", crl.this_update(), next(crl.next_update())));
            lines.push(format_args!("  revoked      {} serial numbers", crl.entry_count()));
            lines.push(format_args!("  digest       {}", crl.digest()));
        }
        RevocationDocument::Ocsp(response) => {
            lines.push(format_args!("OCSP response, produced at {}", response.produced_at()));
            for single in response.single_statuses() {
                let (serial, status) = (&single.serial, single.status);
                lines.push(format_args!(
                    "  this update  {}, next update {}: serial number {serial} is {status}",
                    single.this_update,
                    next(single.next_update)
                ));
            }
            lines.push(format_args!("  digest       {}", response.digest()));
        }
        _ => lines.push("evidence of another kind"),
    }
}
