//! Reading Authentication-Results (RFC 8601), and choosing the one header that may be believed.
//!
//! Anybody can write such a header into a mail. What counts is the top-most one that names the
//! server whose word the operator takes; Microsoft 365 names none, so there it is the top-most of
//! all, provided that it names none either. Every other one is as if it were not there.

use std::{collections::BTreeMap, str::FromStr as _};

use tierdesk_core::{
    authentication::{Evidence, Finding, Method, Verdict},
    mail::SenderCheck,
};

use crate::fields::Fields;

/// The header's name.
pub const HEADER: &str = "Authentication-Results";

/// The most findings of one header that are read; servers write five or six.
const FINDINGS: usize = 64;

/// One Authentication-Results header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// The server that checked, lower case; `None` where the header names none.
    pub authserv_id: Option<String>,
    /// What it found by the methods we know, in order.
    pub findings: Vec<Finding>,
}

/// What the server before us found about a mail, if `check` takes its word and it wrote any.
///
/// `authserv_id` is the configured name; without one no header that names a server is believed.
pub fn evidence(
    fields: &Fields<'_>,
    check: SenderCheck,
    authserv_id: Option<&str>,
) -> Option<Evidence> {
    let mut headers = fields.all(HEADER).map(|field| parse(&field.utf8()));
    match check {
        SenderCheck::Authserv => {
            let ours = authserv_id?;
            let is_ours = |id: &String| id.eq_ignore_ascii_case(ours);
            let found = headers.find(|one| one.authserv_id.as_ref().is_some_and(is_ours))?;
            Some(Evidence {
                checker: ours.to_owned(),
                findings: found.findings,
            })
        }
        SenderCheck::Exchange => {
            let found = headers.next().filter(|one| one.authserv_id.is_none())?;
            Some(Evidence {
                checker: "Microsoft 365".to_owned(),
                findings: found.findings,
            })
        }
        SenderCheck::Edge | SenderCheck::None => None,
    }
}

/// Whose word on senders some mails carry at their top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposal {
    /// This server's, on so many of them.
    Authserv(String, usize),
    /// Microsoft 365's, on so many of them.
    Exchange(usize),
    /// Nobody's, or not the same on most of them.
    None,
}

/// What to set, from mails as they are stored: the server that stands at the top of more than half of
/// them. One that a sender wrote itself is on few.
pub fn propose<'m>(mails: impl IntoIterator<Item = &'m [u8]>) -> Proposal {
    let (mut looked, mut servers, mut microsoft) = (0, BTreeMap::<String, usize>::new(), 0);
    for raw in mails {
        looked += 1;
        let (fields, _) = Fields::split(raw);
        let Some(top) = fields.find(HEADER) else {
            continue;
        };
        let value = top.utf8();
        match parse(&value).authserv_id {
            Some(id) => *servers.entry(id).or_default() += 1,
            None => microsoft += usize::from(value.contains("compauth=")),
        }
    }
    let most = servers.into_iter().max_by_key(|(_, count)| *count);
    match most {
        Some((name, count)) if count * 2 > looked => Proposal::Authserv(name, count),
        _ if microsoft * 2 > looked => Proposal::Exchange(microsoft),
        _ => Proposal::None,
    }
}

/// Reads the value of one header. Total: what cannot be read is left out.
pub fn parse(value: &str) -> Results {
    let mut segments = tokens(value)
        .split(|token| *token == Token::Semicolon)
        .map(<[Token]>::to_vec)
        .collect::<Vec<_>>()
        .into_iter();
    let Some(first) = segments.next() else {
        return Results::default();
    };
    let mut results = Results::default();
    // `spf=pass …` where a server's name should stand is Microsoft's way of naming none.
    if first.contains(&Token::Equals) {
        results.findings.extend(finding(&first));
    } else if let Some(Token::Word(id)) = first.first() {
        results.authserv_id = Some(id.trim_end_matches('.').to_ascii_lowercase());
    }
    for segment in segments {
        if results.findings.len() >= FINDINGS {
            break;
        }
        results.findings.extend(finding(&segment));
    }
    results
}

/// `method=result` with what it is about.
fn finding(segment: &[Token]) -> Option<Finding> {
    let [
        Token::Word(method),
        Token::Equals,
        Token::Word(result),
        rest @ ..,
    ] = segment
    else {
        return None;
    };
    // `dkim/1` is version 1 of the method, the only one there is.
    let method = method.split('/').next().unwrap_or_default();
    let method = Method::from_str(&method.to_ascii_lowercase()).ok()?;
    let verdict = match &*result.to_ascii_lowercase() {
        // What older servers write (RFC 5451, RFC 7001).
        "hardfail" => Verdict::Fail,
        "unknown" => Verdict::PermError,
        word => Verdict::from_str(word).ok()?,
    };
    let about: &[&str] = match method {
        Method::Spf => &["smtp.mailfrom", "smtp.mail", "smtp.helo"],
        Method::Dkim => &["header.d", "header.i"],
        Method::Dmarc => &["header.from"],
    };
    let properties: Vec<(String, &String)> = rest
        .windows(3)
        .filter_map(|three| match three {
            [Token::Word(name), Token::Equals, Token::Word(value)] => {
                Some((name.to_ascii_lowercase(), value))
            }
            _ => None,
        })
        .collect();
    let domain = about.iter().find_map(|wanted| {
        let named = properties.iter().find(|(name, _)| name == wanted);
        named.and_then(|(_, value)| host(value))
    });
    Some(Finding {
        method,
        verdict,
        domain,
    })
}

/// The domain of an address, or the value itself where it is none.
fn host(value: &str) -> Option<String> {
    let host = value.rsplit_once('@').map_or(value, |(_, host)| host);
    let host = host.trim_matches(['<', '>', '.']).to_ascii_lowercase();
    (!host.is_empty()).then_some(host)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Equals,
    Semicolon,
}

/// Words and the marks between them; comments and white space are gone. A comment that does not
/// end takes the rest of the header with it, as RFC 5322 reads it.
fn tokens(value: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut characters = value.chars().peekable();
    while let Some(&next) = characters.peek() {
        match next {
            '(' => skip_comment(&mut characters),
            '=' | ';' => {
                characters.next();
                tokens.push(if next == '=' {
                    Token::Equals
                } else {
                    Token::Semicolon
                });
            }
            '"' => {
                characters.next();
                tokens.push(Token::Word(quoted(&mut characters)));
            }
            blank if blank.is_whitespace() || blank.is_control() => {
                characters.next();
            }
            _ => {
                let mut word = String::new();
                while let Some(&next) = characters.peek() {
                    let ends = next.is_whitespace()
                        || next.is_control()
                        || matches!(next, '(' | '=' | ';' | '"');
                    if ends {
                        break;
                    }
                    word.push(next);
                    characters.next();
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    tokens
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn skip_comment(characters: &mut Characters<'_>) {
    let mut depth = 0_usize;
    while let Some(next) = characters.next() {
        match next {
            '\\' => {
                characters.next();
            }
            '(' => depth += 1,
            ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return;
                }
            }
            _ => {}
        }
    }
}

fn quoted(characters: &mut Characters<'_>) -> String {
    let mut word = String::new();
    while let Some(next) = characters.next() {
        match next {
            '\\' => word.extend(characters.next()),
            '"' => break,
            other => word.push(other),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use Method::{Dkim, Dmarc, Spf};
    use Verdict::{Fail, None as Nothing, Pass, TempError};

    fn read(value: &str) -> (Option<String>, Vec<(Method, Verdict, String)>) {
        let results = parse(value);
        let findings = results.findings.into_iter();
        let findings = findings.map(|one| {
            let domain = one.domain.unwrap_or_default();
            (one.method, one.verdict, domain)
        });
        (results.authserv_id, findings.collect())
    }

    fn is(method: Method, verdict: Verdict, domain: &str) -> (Method, Verdict, String) {
        (method, verdict, domain.to_owned())
    }

    #[test]
    fn what_servers_write_is_read() {
        let google = "mx.google.com;\r\n       dkim=pass header.i=@acme.example header.s=k1 header.b=\"a;b\";\r\n \
                      spf=pass (google.com: domain of j@acme.example designates 192.0.2.1 as permitted sender) \
                      smtp.mailfrom=j@acme.example;\r\n dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=acme.example";
        assert_eq!(
            read(google),
            (
                Some("mx.google.com".to_owned()),
                vec![
                    is(Dkim, Pass, "acme.example"),
                    is(Spf, Pass, "acme.example"),
                    is(Dmarc, Pass, "acme.example")
                ]
            )
        );
        let exchange = "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=acme.example; dkim=none (message not signed) \
                        header.d=none;dmarc=fail action=none header.from=ACME.example;compauth=pass reason=100";
        let (id, findings) = read(exchange);
        assert_eq!(id, None);
        assert_eq!(findings[0], is(Spf, Pass, "acme.example"));
        assert_eq!(findings[1], is(Dkim, Nothing, "none"));
        assert_eq!(findings[2], is(Dmarc, Fail, "acme.example"));
        assert_eq!(findings.len(), 3, "compauth is Microsoft's own opinion");
        let odd = "MX.Example.NET. 1 (a (nested \\) comment)) ; dkim/1 = PASS reason=\"good\" header.d = a.example; \
                   spf=hardfail smtp.helo=b.example; dmarc=temperror; arc=pass; nonsense; =; auth=pass";
        assert_eq!(
            read(odd),
            (
                Some("mx.example.net".to_owned()),
                vec![
                    is(Dkim, Pass, "a.example"),
                    is(Spf, Fail, "b.example"),
                    is(Dmarc, TempError, "")
                ]
            )
        );
        assert_eq!(
            read("mx.example.net; none"),
            (Some("mx.example.net".to_owned()), vec![])
        );
    }

    #[test]
    fn what_hides_in_a_comment_or_a_quote_is_not_believed() {
        let hidden = "mx.example.net; dkim=fail (; dmarc=pass header.from=acme.example) header.d=x.example; \
                      spf=none reason=\"; dmarc=pass header.from=acme.example\"";
        let (_, findings) = read(hidden);
        assert_eq!(
            findings,
            [is(Dkim, Fail, "x.example"), is(Spf, Nothing, "")]
        );
        let open = "mx.example.net; spf=pass (never closed; dmarc=pass header.from=acme.example";
        assert_eq!(read(open).1, [is(Spf, Pass, "")]);
    }

    #[test]
    fn any_text_is_read() {
        for text in ["", ";", "(", "\"", "\\", "=;=;", ")))(((", "a=b=c;d=e"] {
            let _ = parse(text);
        }
        let many = format!("mx; {}", "dkim=pass header.d=a.example; ".repeat(10_000));
        assert_eq!(parse(&many).findings.len(), FINDINGS);
    }

    fn believed(mail: &str, check: SenderCheck, id: Option<&str>) -> Option<Vec<Finding>> {
        let (fields, _) = Fields::split(mail.as_bytes());
        evidence(&fields, check, id).map(|evidence| evidence.findings)
    }

    #[test]
    fn only_the_top_most_header_of_the_configured_server_counts() {
        let mail = "Authentication-Results: other.example; dmarc=pass header.from=acme.example\r\n\
                    Authentication-Results: mx.ours.example; dmarc=fail header.from=acme.example\r\n\
                    Authentication-Results: mx.ours.example; dmarc=pass header.from=acme.example\r\n\
                    From: j@acme.example\r\n\r\n";
        let ours = believed(mail, SenderCheck::Authserv, Some("MX.ours.example")).unwrap();
        assert_eq!((ours.len(), ours[0].verdict), (1, Fail));
        assert_eq!(believed(mail, SenderCheck::Authserv, None), None);
        assert_eq!(
            believed(mail, SenderCheck::Authserv, Some("mx.ours.example.evil")),
            None
        );
        assert_eq!(
            believed(mail, SenderCheck::None, Some("mx.ours.example")),
            None
        );
        assert_eq!(
            believed(mail, SenderCheck::Edge, Some("mx.ours.example")),
            None
        );
    }

    proptest::proptest! {
        /// Whatever stands below our server's header, and in it behind a finding, our server's finding
        /// stays what it is.
        #[test]
        fn nothing_below_changes_what_our_server_found(junk in "[ -~\\r\\n]{0,200}", value in "\\PC{0,120}") {
            let _ = parse(&value);
            let own = "Authentication-Results: mx.ours.example; dmarc=fail header.from=acme.example\r\n";
            let below = junk.trim_start();
            let mail = format!("{own}Authentication-Results: mx.ours.example; dmarc=pass\r\n{below}\r\n\r\n");
            let alone = believed(own, SenderCheck::Authserv, Some("mx.ours.example"));
            let found = believed(&mail, SenderCheck::Authserv, Some("mx.ours.example"));
            proptest::prop_assert_eq!(found, alone);
        }
    }

    #[test]
    fn what_most_mails_carry_at_their_top_is_proposed() {
        let ours: &[u8] = b"Authentication-Results: MX.ours.example; spf=pass

";
        let forged: &[u8] = b"Authentication-Results: mx.evil.example; spf=pass

";
        let microsoft: &[u8] = b"Authentication-Results: spf=pass; compauth=pass

";
        let bare: &[u8] = b"From: a@b.example

";
        let name = "mx.ours.example".to_owned();
        assert_eq!(propose([ours, forged, ours]), Proposal::Authserv(name, 2));
        assert_eq!(propose([microsoft, microsoft, bare]), Proposal::Exchange(2));
        assert_eq!(propose([ours, bare]), Proposal::None);
        assert_eq!(propose([]), Proposal::None);
    }

    #[test]
    fn microsoft_is_believed_only_at_the_top_and_only_where_it_was_named() {
        let idless = "Authentication-Results: spf=pass smtp.mailfrom=acme.example; dmarc=pass header.from=acme.example\r\n";
        let named = "Authentication-Results: mx.x.example; dmarc=pass header.from=acme.example\r\n";
        let first = format!("{idless}{named}\r\n");
        let second = format!("{named}{idless}\r\n");
        let exchange = SenderCheck::Exchange;
        assert_eq!(
            believed(&first, exchange, None).map(|all| all.len()),
            Some(2)
        );
        assert_eq!(believed(&second, exchange, None), None);
        assert_eq!(
            believed(&first, SenderCheck::Authserv, Some("spf=pass")),
            None
        );
    }
}
