//! What the listener says: RFC 5321 replies with RFC 2034 codes.
//!
//! Nothing that a client sent is repeated to it but its recipients, which are configured ones.

/// One reply of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply(pub(super) &'static str);

impl Reply {
    /// Appends it as it travels.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    /// Whether it says that the client did something wrong.
    pub(super) fn is_refusal(self) -> bool {
        self.0.starts_with('5')
    }
}

pub(super) const RESET: Reply = Reply("250 2.0.0 forgotten");
pub(super) const NOTHING_DONE: Reply = Reply("250 2.0.0 still here");
pub(super) const SENDER_NOTED: Reply = Reply("250 2.1.0 sender noted");
pub(super) const RECIPIENT_NOTED: Reply = Reply("250 2.1.5 recipient noted");
pub(super) const GO_ON: Reply = Reply("354 the mail, then a line with one dot");
pub(super) const START_TLS: Reply = Reply("220 2.0.0 start TLS now");
pub(super) const BYE: Reply = Reply("221 2.0.0 bye");
pub(super) const HELP: Reply = Reply("214 2.0.0 mail for a support desk: RFC 5321, RFC 2033");
pub(super) const NOT_VERIFIED: Reply = Reply("252 2.5.0 send the mail, and RCPT will tell");

pub(super) const NO_EXPANSION: Reply = Reply("502 5.5.1 there are no lists here");
pub(super) const NOT_OFFERED: Reply = Reply("502 5.5.1 this is not offered here");
pub(super) const UNKNOWN: Reply = Reply("500 5.5.1 unknown command");
pub(super) const SYNTAX: Reply = Reply("501 5.5.4 the command or its arguments are malformed");
pub(super) const PARAMETER: Reply = Reply("555 5.5.4 a parameter that was not offered");
pub(super) const NOT_TEXT: Reply = Reply("500 5.5.2 a command is printable text in UTF-8");
pub(super) const HELLO_FIRST: Reply = Reply("503 5.5.1 say hello first");
pub(super) const SAY_LHLO: Reply = Reply("500 5.5.1 this is LMTP: say LHLO");
pub(super) const SAY_EHLO: Reply = Reply("500 5.5.1 this is SMTP: say EHLO");
pub(super) const ONE_AT_A_TIME: Reply = Reply("503 5.5.1 there is a sender already: RSET first");
pub(super) const SENDER_FIRST: Reply = Reply("503 5.5.1 MAIL comes first");
pub(super) const NO_RECIPIENT: Reply = Reply("503 5.5.1 no recipient was accepted");
pub(super) const BAD_SENDER: Reply = Reply("553 5.1.7 the sender is no address");
pub(super) const BAD_RECIPIENT: Reply = Reply("553 5.1.3 the recipient is no address");
pub(super) const NEEDS_UTF8: Reply = Reply("553 5.6.7 such an address needs SMTPUTF8");
pub(super) const NOT_HERE: Reply =
    Reply("550 5.7.1 no such recipient here, and nothing is passed on");
pub(super) const TOO_MANY: Reply = Reply("452 4.5.3 too many recipients: send the rest again");
pub(super) const TOO_LARGE: Reply = Reply("552 5.3.4 the mail is larger than SIZE says");
pub(super) const BARE_LINE_END: Reply =
    Reply("550 5.6.11 the mail has a CR or LF that is not a CR LF: nothing was kept");
pub(super) const NO_ROOM: Reply = Reply("452 4.3.1 too much mail at once: try again");
pub(super) const NOT_STORED: Reply = Reply("451 4.3.0 the mail could not be stored: try again");
pub(super) const TLS_IS_ON: Reply = Reply("503 5.5.1 TLS has been started");

pub(super) const COMMAND_LINE_END: Reply =
    Reply("521 5.5.2 a line ends in CR LF and holds neither alone: closing");
pub(super) const LINE_TOO_LONG: Reply = Reply("521 5.5.2 the line is too long: closing");
pub(super) const BEHIND_STARTTLS: Reply =
    Reply("521 5.5.1 nothing may follow STARTTLS before the handshake: closing");
pub(super) const ENDLESS: Reply = Reply("521 5.3.4 the mail does not end: closing");
pub(super) const TOO_MANY_ERRORS: Reply = Reply("421 4.7.0 too many errors: closing");
pub(super) const TOO_MANY_COMMANDS: Reply = Reply("421 4.7.0 enough commands: connect again");
pub(super) const TIMED_OUT: Reply = Reply("421 4.4.2 waited long enough: closing");
pub(super) const STOPPING: Reply =
    Reply("421 4.3.2 the desk is being stopped: connect again later");
/// Said to a connection that gets no session.
pub(super) const TOO_MANY_CONNECTIONS: Reply =
    Reply("421 4.7.0 too many connections: connect again later");
