//! The `Link` header with the next page of a list. RFC 8288.

use reqwest::Url;
use reqwest::header::HeaderMap;
use reqwest::header::LINK;

use super::location;
use crate::store::error::LinkFault;

/// The next page of a list whose last page was at `page`; `None` at the end.
///
/// # Errors
/// [`LinkFault`] if the header is malformed, or the next page is on another host.
pub(super) fn next(page: &Url, headers: &HeaderMap) -> Result<Option<Url>, LinkFault> {
    let mut targets = Vec::new();
    for value in headers.get_all(LINK) {
        let text = value.to_str().map_err(|_| LinkFault::NotText)?;
        targets.extend(next_targets(text)?);
    }
    let target = match targets.as_slice() {
        [] => return Ok(None),
        [target] => target,
        _ => return Err(LinkFault::SeveralNextPages),
    };
    let url = page.join(target).map_err(|_| LinkFault::NoUrl)?;
    let url = location::at_origin(page, url);
    if url.origin() != page.origin() || !url.username().is_empty() || url.password().is_some() {
        return Err(LinkFault::OtherHost(url.origin().ascii_serialization()));
    }
    if url == *page {
        return Err(LinkFault::SamePage);
    }
    Ok(Some(url))
}

/// The targets in one header value whose relation is `next`.
fn next_targets(text: &str) -> Result<Vec<String>, LinkFault> {
    let malformed = || LinkFault::Unreadable;
    let mut targets = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (target, after) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')).ok_or_else(malformed)?;
        let (is_next, after) = parameters(after).ok_or_else(malformed)?;
        if is_next {
            targets.push(target.to_owned());
        }
        rest = after;
    }
    Ok(targets)
}

/// Whether the parameters at the start of `text` contain `rel=next`, and the rest after the comma that ends them.
fn parameters(text: &str) -> Option<(bool, &str)> {
    let mut is_next = false;
    let mut rest = text.trim_start();
    loop {
        if rest.is_empty() {
            return Some((is_next, rest));
        }
        if let Some(after) = rest.strip_prefix(',') {
            return Some((is_next, after.trim_start()));
        }
        let parameter = rest.strip_prefix(';')?.trim_start();
        let (name, value, after) = name_and_value(parameter)?;
        if name.eq_ignore_ascii_case("rel") {
            is_next |= value.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"));
        }
        rest = after.trim_start();
    }
}

fn name_and_value(text: &str) -> Option<(&str, &str, &str)> {
    let end = text.find(['=', ';', ',']).unwrap_or(text.len());
    let (name, after) = text.split_at_checked(end)?;
    let Some(value) = after.strip_prefix('=').map(str::trim_start) else {
        return Some((name.trim(), "", after));
    };
    if let Some(quoted) = value.strip_prefix('"') {
        let (value, after) = quoted.split_once('"')?;
        return Some((name.trim(), value, after));
    }
    let end = value.find([';', ',']).unwrap_or(value.len());
    let (value, after) = value.split_at_checked(end)?;
    Some((name.trim(), value.trim(), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<String>, LinkFault> {
        let page = Url::parse("https://r.example/v2/app/referrers/sha256:00?n=1").unwrap();
        let headers = values.iter().map(|value| (LINK, value.parse().unwrap())).collect();
        next(&page, &headers).map(|url| url.map(|url| url.to_string()))
    }

    #[test]
    fn reads_what_registries_send() {
        let page = Ok(Some("https://r.example/v2/app/x?last=b&n=1".to_owned()));
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[r#"</v2/app/x?last=b&n=1>; rel="next""#]), page);
        assert_eq!(
            read(&["<x?last=b&n=1>;rel=next"]).unwrap().unwrap(),
            "https://r.example/v2/app/referrers/x?last=b&n=1"
        );
        assert_eq!(read(&["<https://r.example:443/v2/app/x?last=b&n=1>; title=\"a,b;c\"; rel=\"prev next\""]), page);
        assert_eq!(read(&["</first>; rel=first, </v2/app/x?last=b&n=1>; rel=next"]), page);
        assert_eq!(read(&["</first>; rel=\"first\""]), Ok(None));
        assert_eq!(read(&[""]), Ok(None));
    }

    // A proxy that terminates TLS forwards plain HTTP to the registry, which therefore links to plain HTTP.
    #[test]
    fn a_page_of_the_same_host_is_asked_for_as_the_first_one_was() {
        let next = |page: &str, link: &str| {
            let headers = [(LINK, link.parse().unwrap())].into_iter().collect();
            next(&Url::parse(page).unwrap(), &headers).map(|url| url.unwrap().to_string())
        };
        for (page, link, wanted) in [
            ("https://r.example/v2/a", "<http://r.example/v2/b?n=1>; rel=next", "https://r.example/v2/b?n=1"),
            ("https://r.example:5000/v2/a", "<http://r.example:5000/v2/b>; rel=next", "https://r.example:5000/v2/b"),
            ("https://r.example:5000/v2/a", "<http://r.example/v2/b>; rel=next", "https://r.example:5000/v2/b"),
            ("http://r.example:5000/v2/a", "<https://r.example:5000/v2/b>; rel=next", "http://r.example:5000/v2/b"),
        ] {
            assert_eq!(next(page, link).as_deref(), Ok(wanted), "{page} {link}");
        }
        next("https://r.example/v2/a", "<http://r.example/v2/a>; rel=next").unwrap_err();
    }

    #[test]
    fn refuses_hostile_forms() {
        for text in [
            "<https://evil.example/v2/x>; rel=next",
            "<http://r.example.evil/v2/x>; rel=next",
            "<http://user@r.example/v2/x>; rel=next",
            "<ftp://r.example/v2/x>; rel=next",
            "<//evil.example/x>; rel=next",
            "<https://r.example:444/v2/x>; rel=next",
            "<https://user@r.example/v2/x>; rel=next",
            "<file:///etc/passwd>; rel=next",
            "</a>; rel=next, </b>; rel=next",
            "</a; rel=next",
            "/a; rel=next",
            "</a> rel=next",
            "</a>; rel=\"next",
            "<https://r.example/v2/app/referrers/sha256:00?n=1>; rel=next",
            "<>; rel=next",
        ] {
            assert!(read(&[text]).is_err(), "{text:?} was accepted: {:?}", read(&[text]));
        }
        let many: Vec<String> = (0..100).map(|n| format!("</p{n}>; rel=next")).collect();
        assert!(read(&many.iter().map(String::as_str).collect::<Vec<_>>()).is_err());
    }
}
