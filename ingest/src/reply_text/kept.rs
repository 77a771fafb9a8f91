//! Mails whose words were once lost, or would be: what is shown, pasted or answered in between
//! stays, and beside each stands the mail like it that is cut.

use super::{reply_text, reply_text_of};

const HEAD: &str =
    "From: Desk <d@x.example>\nSent: Monday, 23 November 2026 10:20\nTo: Ann\nSubject: RE: Login";

/// Each of these stays whole, though it answers a mail.
#[track_caller]
fn kept(text: &str) {
    assert_eq!(reply_text(text), text.trim());
}

#[track_caller]
fn cut(text: &str, expected: &str) {
    assert_eq!(reply_text(text), expected);
}

#[test]
fn answers_between_the_lines_of_an_unquoted_mail() {
    for words in [
        "See my answers below.",
        "I answered inline",
        "My answers are in red",
        "Antworten siehe unten",
        "Réponses ci-dessous",
        "Respuestas más abajo",
        "Respostas abaixo",
        "Risposte sotto",
        "Antwoorden hieronder",
        "Odpowiedzi poniżej",
        "Ответы ниже",
        "回答は以下です",
        "答案如下",
    ] {
        kept(&format!("{words}\n\n{HEAD}\n\nWhich account?\n[Ann] 12345"));
    }
    for words in ["It belows", "Untenable", "Thanks"] {
        cut(&format!("{words}\n\n{HEAD}\n\nWhich account?"), words);
    }
}

#[test]
fn a_mail_that_was_pasted() {
    for words in [
        "We got these lines:",
        "Bitte diese Mail prüfen",
        "Please block this sender",
        "Hello,\n\nplease block the sender.\n\nThank you",
    ] {
        kept(&format!("{words}\n\n{HEAD}\n\nPay now\n\nIs it from you?"));
    }
    let paste = format!("Have a look\n\n{HEAD}\n\nPay now\n\nIs it from you?");
    assert_eq!(reply_text_of(&paste, false), paste);
    assert_eq!(reply_text_of(&paste, true), "Have a look");
    let quote = "Have a look\n\n> Pay now\n> at once";
    for is_answer in [true, false] {
        assert_eq!(reply_text_of(quote, is_answer), "Have a look");
    }
    // Who sends our marker back answers, whatever became of the headers.
    let marked = "Yes\n\n## reply above this line ##\nold\n\n> older";
    assert_eq!(reply_text_of(marked, false), "Yes");
    assert_eq!(reply_text_of("Help\n\n-- \nAnn B", false), "Help");
}

#[test]
fn what_is_shown_below_a_colon() {
    kept("The console prints:\n\n> error: access denied");
    kept("The console prints:\n> error: access denied\n\n");
    kept("控制台显示：\n> error");
    cut("Yes\n\nOn 1 May 2026 at 10:20 B wrote:\n\n> error", "Yes");
    cut("Yes.\n\n> error", "Yes.");
}

#[test]
fn a_line_that_was_drawn_is_no_signature() {
    kept("Need three things:\n\n--\n1. restore db\n2. rotate key\n3. call me");
    kept("Need this\n--\n- restore\n- rotate");
    kept("It fails\n--\nCould you look? Ann");
    kept(&format!("It fails\n--\n{}", "name\n".repeat(9)));
    cut("It fails\n--\nAnn B\nBank of X\n\n+49 30 1234", "It fails");
    // With its blank a program wrote it.
    cut("It fails\n-- \n1. FC Bank\nAnn B", "It fails");
}

#[test]
fn a_postscript_below_a_signature() {
    for words in [
        "PS: do not close the other ticket",
        "P.S. and the other one",
        "NB it is urgent",
        "Do not close it!",
        "May we call?",
        "The other ticket is about the server in the second room, which still beeps.",
    ] {
        kept(&format!("Hi\n-- \nAnn B\n\n{words}"));
        kept(&format!("Hi\n--\nAnn B\n\n{words}"));
    }
    cut("Hi\n-- \nAnn B\n\nBank of X\nPSD Street 1", "Hi");
}

#[test]
fn only_known_products_send() {
    kept("The invoice was\nSent from my Accountant Bob Miller");
    kept("The file was\nSent from Samsung Support in Seoul");
    kept("It fails.\n\nOutlook für iOS kann ich nicht");
    for line in [
        "Sent from my iPhone 15 Pro",
        "Sent from my BlackBerry",
        "Sent from Yahoo Mail on Android",
        "Sent from Proton Mail for iOS",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Outlook für iOS<https://aka.ms/o0ukef> beziehen",
        "Holen Sie sich Outlook für Android<https://aka.ms/ghei36>",
        "Gesendet mit der Telekom Mail App",
        "Wysłane z iPada",
        "发自我的iPhone",
    ] {
        cut(&format!("It fails.\n\n{line}"), "It fails.");
    }
}

#[test]
fn attributions_of_the_north_and_of_turkey() {
    for attribution in [
        "Den mån 23 nov. 2026 kl 10:20 skrev Desk <d@x.example>:",
        "Den 2026-11-23 kl. 10:20, skrev Desk:",
        "23 nov. 2026 kl. 10:20 skrev Desk <d@x.example>:",
        "Den man. 23. nov. 2026 kl. 10.20 skrev Desk <d@x.example>:",
        "man. 23. nov. 2026 kl. 10:20 skrev Desk <d@x.example>:",
        "Den 23.11.2026 10:20, skrev Desk:",
        "Desk <d@x.example>, 23 Kas 2026 Pzt, 10:20 tarihinde şunu yazdı:",
        "23.11.2026 10:20 tarihinde Desk yazdı:",
        "Desk <d@x.example> şunları yazdı (23 Kas 2026 10:20):",
        "On Monday, 23 November 2026\nat 10:20, Desk of a\nlong name <d@x.example>\nwrote:",
    ] {
        cut(&format!("Ja!\n\n{attribution}\n\n> old"), "Ja!");
    }
    kept("Hej\n\nDen 23 november 2026 skrev chefen:\n> servern startar");
}

#[test]
fn what_a_desk_quotes_is_no_paste() {
    for attribution in [
        "Ann B <ann@x.example> wrote on 23 Nov 2026, 09:00 UTC:",
        "ann@x.example wrote on 23 Nov 2026, 09:00 UTC:",
    ] {
        let text = format!(
            "It works\n\n-- \ndana, support\nSB-1\n\n{attribution}\n> It fails.\n> Since Monday."
        );
        for is_answer in [true, false] {
            assert_eq!(reply_text_of(&text, is_answer), "It works", "{attribution}");
        }
    }
    let other = "It works\n\nann@x.example, 23.11.2026 09:00, kirjoitti:\n> It fails.";
    assert!(!reply_text_of(other, true).contains("It fails"));
}
