//! Checking the sender ourselves, where we are the mail server that the world speaks to.
//!
//! SPF of the envelope, the DKIM signatures and DMARC of From, by `mail-auth` and a resolver that can
//! be named in the configuration. A resolver that is away delays no mail: after two tries the findings
//! say `temperror`, and the mail is held for unproven.

use std::{net::SocketAddr, time::Duration};

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcResult, MessageAuthenticator, SpfOutput,
    SpfResult, dmarc::verify::DmarcParameters, spf::verify::SpfParameters,
};
use tierdesk_core::{
    authentication::{EdgeCheck, Evidence, EvidenceFuture, Finding, Method, Verdict},
    mail::Envelope,
};

/// How long one question to the resolver may take.
const QUESTION: Duration = Duration::from_secs(2);
/// How long all questions about one mail may take.
const WHOLE: Duration = Duration::from_secs(10);

/// What a signature has to cover: one that leaves the subject open can be sent again with another.
const SIGNED: [&str; 3] = ["from", "subject", "date"];

/// The resolver cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the resolver cannot be used: {0}")]
pub struct ResolverError(String);

/// Checks senders with questions to the DNS.
pub struct Resolver {
    authenticator: MessageAuthenticator,
    /// What we call ourselves.
    host: String,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl Resolver {
    /// Asks `server`, or where there is none the servers of the machine (/etc/resolv.conf).
    ///
    /// `host` is what we call ourselves in SPF macros.
    pub fn new(server: Option<SocketAddr>, host: String) -> Result<Self, ResolverError> {
        let (config, mut options) = match server {
            Some(server) => (config_of(server), ResolverOpts::default()),
            None => hickory_resolver::system_conf::read_system_conf()
                .map_err(|fault| ResolverError(fault.to_string()))?,
        };
        options.timeout = QUESTION;
        options.attempts = 2;
        let authenticator = MessageAuthenticator::new(config, options)
            .map_err(|fault| ResolverError(fault.to_string()))?;
        Ok(Self {
            authenticator,
            host,
        })
    }

    async fn findings(&self, raw: &[u8], envelope: &Envelope) -> Vec<Finding> {
        let mut findings = Vec::new();
        let sender = envelope.from.as_deref().unwrap_or_default();
        let spf = match &envelope.client {
            Some(client) => {
                let helo = client.helo.trim_matches(['[', ']']);
                let asked = SpfParameters::verify(client.ip, helo, &self.host, sender);
                self.authenticator.verify_spf(asked).await
            }
            None => SpfOutput::default(),
        };
        if envelope.client.is_some() {
            findings.push(Finding {
                method: Method::Spf,
                verdict: spf_verdict(spf.result()),
                domain: (!spf.domain().is_empty()).then(|| spf.domain().to_owned()),
            });
        }
        let Some(message) = AuthenticatedMessage::parse(raw) else {
            return findings;
        };
        let signatures = self.authenticator.verify_dkim(&message).await;
        findings.extend(signatures.iter().filter_map(|output| {
            let signature = output.signature()?;
            Some(Finding {
                method: Method::Dkim,
                verdict: if covers_enough(output) {
                    dkim_verdict(output.result())
                } else {
                    Verdict::Policy
                },
                domain: Some(signature.d.clone()),
            })
        }));
        let taken: Vec<DkimOutput<'_>> = signatures
            .into_iter()
            .filter(|output| covers_enough(output))
            .collect();
        let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
        let asked = DmarcParameters::new(&message, &taken, domain, &spf);
        let dmarc = self.authenticator.verify_dmarc(asked).await;
        findings.push(Finding {
            method: Method::Dmarc,
            verdict: dmarc_verdict(&dmarc.result()),
            domain: (!dmarc.domain().is_empty()).then(|| dmarc.domain().to_owned()),
        });
        findings
    }
}

impl EdgeCheck for Resolver {
    fn check<'a>(&'a self, raw: &'a [u8], envelope: &'a Envelope) -> EvidenceFuture<'a> {
        Box::pin(async move {
            let findings = tokio::time::timeout(WHOLE, self.findings(raw, envelope)).await;
            let findings = findings.unwrap_or_else(|_| {
                vec![Finding {
                    method: Method::Dmarc,
                    verdict: Verdict::TempError,
                    domain: None,
                }]
            });
            Evidence {
                checker: "our own check".to_owned(),
                findings,
            }
        })
    }
}

fn config_of(server: SocketAddr) -> ResolverConfig {
    let at = |mut connection: ConnectionConfig| {
        connection.port = server.port();
        connection
    };
    let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
    let server = NameServerConfig::new(server.ip(), true, connections);
    ResolverConfig::from_parts(None, Vec::new(), vec![server])
}

/// Whether a signature covers the whole body and the headers that people read.
fn covers_enough(output: &DkimOutput<'_>) -> bool {
    output.signature().is_some_and(|signature| {
        let signs = |wanted: &str| {
            signature
                .h
                .iter()
                .any(|name| name.eq_ignore_ascii_case(wanted))
        };
        signature.l == 0 && SIGNED.into_iter().all(signs)
    })
}

fn spf_verdict(result: SpfResult) -> Verdict {
    match result {
        SpfResult::Pass => Verdict::Pass,
        SpfResult::Fail => Verdict::Fail,
        SpfResult::SoftFail => Verdict::SoftFail,
        SpfResult::Neutral => Verdict::Neutral,
        SpfResult::TempError => Verdict::TempError,
        SpfResult::PermError => Verdict::PermError,
        SpfResult::None => Verdict::None,
    }
}

fn dkim_verdict(result: &DkimResult) -> Verdict {
    match result {
        DkimResult::Pass => Verdict::Pass,
        DkimResult::Neutral(_) => Verdict::Neutral,
        DkimResult::Fail(_) => Verdict::Fail,
        DkimResult::PermError(_) => Verdict::PermError,
        DkimResult::TempError(_) => Verdict::TempError,
        DkimResult::None => Verdict::None,
    }
}

fn dmarc_verdict(result: &DmarcResult) -> Verdict {
    match result {
        DmarcResult::Pass => Verdict::Pass,
        DmarcResult::Fail(_) => Verdict::Fail,
        DmarcResult::TempError(_) => Verdict::TempError,
        DmarcResult::PermError(_) => Verdict::PermError,
        DmarcResult::None => Verdict::None,
    }
}
