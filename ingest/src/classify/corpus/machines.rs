//! Automatic answers, bulk and lists, by the headers that these systems set.

use tierdesk_core::mail::AutoKind::{self, AutoReply, Bulk, List};

const fn away(name: &'static str, headers: &'static str) -> (&'static str, AutoKind, &'static str) {
    (name, AutoReply, headers)
}

pub(super) const ALL: &[(&str, AutoKind, &str)] = &[
    // Exchange's notices in eleven languages, which on some ways lose Auto-Submitted.
    away(
        "Exchange en",
        "Subject: Automatic reply: Ticket\nX-Auto-Response-Suppress: All",
    ),
    away(
        "Exchange de",
        "Subject: Automatische Antwort: Ticket\nX-Auto-Response-Suppress: All",
    ),
    away(
        "Exchange fr",
        "Subject: =?utf-8?Q?R=C3=A9ponse_automatique_:_Ticket?=\nX-Auto-Response-Suppress: All",
    ),
    away(
        "Exchange es",
        "Subject: =?utf-8?Q?Respuesta_autom=C3=A1tica:_x?=\nX-Auto-Response-Suppress: All",
    ),
    away(
        "Exchange pt",
        "Subject: =?utf-8?Q?Resposta_autom=C3=A1tica:_x?=\nX-Auto-Response-Suppress: All",
    ),
    away(
        "Exchange it",
        "Subject: Risposta automatica: x\nX-Auto-Response-Suppress: All",
    ),
    away(
        "Exchange nl",
        "Subject: Automatisch antwoord: x\nX-Auto-Response-Suppress: All",
    ),
    away(
        "Exchange pl",
        "Subject: =?utf-8?Q?Odpowied=C5=BA_automatyczna:_x?=\nX-Auto-Response-Suppress: All",
    ),
    away(
        "Exchange ru",
        "Subject: Автоматический ответ: x\nX-Auto-Response-Suppress: All",
    ),
    away(
        "Exchange ja",
        "Subject: 自動応答: x\nX-Auto-Response-Suppress: All",
    ),
    away(
        "Exchange zh",
        "Subject: 自动答复: x\nX-Auto-Response-Suppress: All",
    ),
    away(
        "Exchange as it leaves",
        "Subject: Automatic reply: x\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\nReturn-Path: <>",
    ),
    away(
        "Outlook rule",
        "Subject: Out of Office AutoReply: x\nX-Auto-Response-Suppress: All\nX-MS-TNEF-Correlator:",
    ),
    away(
        "Gmail",
        "Subject: Away Re: x\nPrecedence: bulk\nX-Autoreply: yes\nAuto-Submitted: auto-replied",
    ),
    away(
        "Zimbra",
        "Subject: Out of Office\nAuto-Submitted: auto-replied (zimbra; reply)\nPrecedence: bulk",
    ),
    away(
        "Sieve",
        "Subject: Auto: x\nAuto-Submitted: auto-replied (vacation)",
    ),
    away(
        "Sieve, own subject",
        "Subject: Bin im Urlaub\nAuto-Submitted: auto-replied",
    ),
    away(
        "cPanel",
        "Subject: Holiday\nX-Autorespond: x\nAuto-Submitted: auto-replied",
    ),
    away(
        "cPanel of old",
        "Subject: Holiday\nX-Autorespond: x\nPrecedence: auto_reply",
    ),
    away(
        "Domino",
        "Subject: AUTO: Ann is out of the office (returning 01.12.2026)\nX-MIMETrack: Serialize by Router on MX1",
    ),
    away(
        "Domino, marked",
        "Subject: AUTO: Ann is away\nAuto-submitted: auto-generated",
    ),
    away(
        "vacation(1)",
        "Subject: away from my mail\nPrecedence: bulk",
    ),
    away(
        "vacation(1), junk",
        "Subject: away from my mail\nPrecedence: junk",
    ),
    away(
        "vacation(1), marked",
        "Subject: Re: x\nPrecedence: bulk\nAuto-Submitted: auto-replied",
    ),
    away(
        "null path, absence",
        "Subject: Out of office: x\nReturn-Path: <>",
    ),
    away(
        "Zendesk",
        "Subject: [Acme] Request received: x\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\nX-Mailer: Zendesk Mailer",
    ),
    away(
        "Freshdesk",
        "Subject: Ticket received\nAuto-Submitted: auto-replied\nX-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply",
    ),
    away(
        "Jira",
        "Subject: ACME-1 We have your request\nAuto-Submitted: auto-generated\nX-JIRA-FingerPrint: 1",
    ),
    away(
        "osTicket",
        "Subject: Support ticket opened\nX-Autoreply: yes\nAuto-Submitted: auto-replied\nPrecedence: auto_reply",
    ),
    away(
        "read receipt",
        "Subject: Read: x\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b",
    ),
    away("responder header", "Subject: Thanks\nX-Autoresponder: 1"),
    // What a system sends in bulk is that, whoever generated it.
    (
        "Jira in bulk",
        Bulk,
        "Subject: ACME-1 updated\nAuto-Submitted: auto-generated\nPrecedence: bulk",
    ),
    (
        "ServiceNow",
        Bulk,
        "Subject: INC001 opened\nAuto-Submitted: auto-generated\nPrecedence: bulk\nX-ServiceNow-Generated: true",
    ),
    (
        "OTRS",
        Bulk,
        "Subject: [Ticket#1] RE: x\nPrecedence: bulk\nAuto-Submitted: auto-generated\nX-Powered-By: OTRS",
    ),
    (
        "newsletter",
        Bulk,
        "Subject: News\nList-Unsubscribe: <https://x.example/u>\nFeedback-ID: 1:2:3:x",
    ),
    (
        "newsletter about absence",
        Bulk,
        "Subject: Out of office fashion\nPrecedence: bulk\nList-Unsubscribe: <https://x.example/u>",
    ),
    ("bulk", Bulk, "Subject: Our terms\nPrecedence: bulk"),
    ("junk", Bulk, "Subject: Hello\nPrecedence: junk"),
    (
        "Mailman",
        List,
        "Subject: [users] hello\nList-Id: Users <users.x.example>\nPrecedence: list",
    ),
    (
        "Google Groups",
        List,
        "Subject: hello\nList-ID: <g.x.example>\nPrecedence: list\nList-Post: <mailto:g@x.example>",
    ),
    (
        "Sympa",
        List,
        "Subject: [s] hello\nPrecedence: list\nList-Post: <mailto:s@x.example>",
    ),
    ("announcements", List, "Subject: Release\nList-Post: NO"),
];
