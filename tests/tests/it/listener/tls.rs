//! STARTTLS, spoken by a library that is not ours, and by clients that try to slip something in.

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    transport::smtp::client::{Certificate, Tls, TlsParameters},
};
use tierdesk_core::settings::{MailProtocol, TlsFiles};
use tierdesk_ingest::listener::Patience;
use tierdesk_tests::{Backend, Letter, MailClient, TestDesk};

use super::{Listening, SUPPORT, settings};

/// A listener with a certificate for `localhost`, and the certificate.
async fn encrypted(test: &TestDesk, folder: &std::path::Path) -> (Listening, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
    let made = made.expect("a certificate is made");
    let files = TlsFiles {
        certificates: folder.join("mail.crt"),
        key: folder.join("mail.key"),
    };
    let certificate = made.cert.pem();
    std::fs::write(&files.certificates, &certificate).expect("it is written");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("it is written");
    let mut settings = settings(MailProtocol::Smtp);
    settings.tls = Some(files);
    let listening = Listening::start(test, &settings, Patience::default()).await;
    (listening, certificate.into_bytes())
}

#[tokio::test]
async fn lettre_hands_mail_over_encrypted() {
    let test = TestDesk::new(Backend::Sqlite).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (listening, certificate) = encrypted(&test, folder.path()).await;
    let root = Certificate::from_pem(&certificate).expect("a certificate");
    let parameters = TlsParameters::builder("localhost".to_owned())
        .add_root_certificate(root)
        .build_rustls()
        .expect("TLS parameters");
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("localhost")
        .port(listening.address.port())
        .tls(Tls::Required(parameters))
        .build();
    let mut sent = 0;
    for text in ["one\n.\ndot", "zwei mit ß und ü", &"long ".repeat(30_000)] {
        let mail = Message::builder()
            .from("Jürgen <john@acmefinance.com>".parse().expect("an address"))
            .to(SUPPORT.parse().expect("an address"))
            .message_id(Some(format!("<{sent}@mail.example>")))
            .subject("Ünicode")
            .body(text.to_owned())
            .expect("a mail");
        let said = transport.send(mail.clone()).await.expect("it is taken");
        assert_eq!(said.code().to_string(), "250");
        sent += 1;
        assert_eq!(test.number("SELECT COUNT(*) FROM inbox").await, sent);
    }
    // Without a certificate that it trusts, lettre hands nothing over: positive control of TLS.
    let distrusting: AsyncSmtpTransport<Tokio1Executor> =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("localhost")
            .port(listening.address.port())
            .tls(Tls::Required(
                TlsParameters::new("localhost".to_owned()).expect("parameters"),
            ))
            .build();
    assert!(distrusting.test_connection().await.is_err());
    println!("lettre over STARTTLS: {sent} mails");
    listening.end().await;
}

#[tokio::test]
async fn nothing_sent_before_the_handshake_counts_after_it() {
    let test = TestDesk::new(Backend::Sqlite).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (listening, _) = encrypted(&test, folder.path()).await;
    let mut client = MailClient::connect(listening.address, "EHLO")
        .await
        .expect("it answers");
    let injected = "STARTTLS\r\nMAIL FROM:<ceo@acmefinance.com>\r\n";
    let said = client.ask(injected).await.expect("an answer");
    assert!(said.starts_with("521"), "{said}");
    assert!(
        client.reply().await.is_err(),
        "and the connection is closed"
    );

    // In two writes, the second is what TLS begins with, and TLS does not begin like that.
    let mut client = MailClient::connect(listening.address, "EHLO")
        .await
        .expect("it answers");
    let said = client.ask("STARTTLS\r\n").await.expect("an answer");
    assert!(said.starts_with("220"), "{said}");
    client
        .say("MAIL FROM:<ceo@acmefinance.com>\r\n")
        .await
        .expect("it is sent");
    let said = client.reply().await;
    assert!(
        said.as_ref().map_or(true, |said| !said.starts_with("250")),
        "{said:?}"
    );

    let mail = Letter::new("john@acmefinance.com", "a").bytes();
    let mut client = MailClient::connect(listening.address, "EHLO")
        .await
        .expect("it answers");
    client
        .deliver(&[SUPPORT], &mail, 1)
        .await
        .expect("TLS is offered, not demanded");
    assert_eq!(test.number("SELECT COUNT(*) FROM inbox").await, 1);
    listening.end().await;
}
