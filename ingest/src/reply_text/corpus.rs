//! Small mails as the usual programs write them, in eleven languages: what is quoted goes, and no
//! word of the person who answers does.
//!
//! A language is added as one entry of [`LANGUAGES`]; the tests make its mails.

use super::reply_text;

/// What differs by language: two lines of an answer, and how each program marks what it quotes.
struct Language {
    name: &'static str,
    answer: &'static str,
    /// The head that Outlook puts over a mail which it does not quote.
    outlook: &'static str,
    gmail: &'static str,
    apple: &'static str,
    thunderbird: &'static str,
    /// What a phone adds below the answer.
    phone: &'static str,
}

const LANGUAGES: [Language; 11] = [
    Language {
        name: "English",
        answer: "It fails again since Monday.\nCould you have a look?",
        outlook: "From: Desk <d@x.example>\nSent: Monday, 23 November 2026 10:20\nTo: Ann\nSubject: RE: Login",
        gmail: "On Mon, Nov 23, 2026 at 10:20 AM Desk <d@x.example> wrote:",
        apple: "On 23 Nov 2026, at 10:20, Desk <d@x.example> wrote:",
        thunderbird: "On 11/23/26 10:20, Desk wrote:",
        phone: "Sent from my iPhone",
    },
    Language {
        name: "German",
        answer: "Seit Montag geht es wieder nicht.\nAm Mittwoch schrieb ich schon: bitte prüfen!",
        outlook: "Von: Desk <d@x.example>\nGesendet: Montag, 23. November 2026 10:20\nAn: Ann\nBetreff: AW: Login",
        gmail: "Am Mo., 23. Nov. 2026 um 10:20 Uhr schrieb Desk <\nd@x.example>:",
        apple: "Am 23.11.2026 um 10:20 schrieb Desk <d@x.example>:",
        thunderbird: "Am 23.11.26 um 10:20 schrieb Desk:",
        phone: "Von meinem iPhone gesendet",
    },
    Language {
        name: "French",
        answer: "Cela ne marche plus depuis lundi.\nLe collègue a écrit : rien à signaler.",
        outlook: "De : Desk <d@x.example>\nEnvoyé : lundi 23 novembre 2026 10:20\nÀ : Ann\nObjet : RE: Login",
        gmail: "Le lun. 23 nov. 2026 à 10:20, Desk <d@x.example> a écrit :",
        apple: "Le 23 nov. 2026 à 10:20, Desk <d@x.example> a écrit\u{a0}:",
        thunderbird: "Le 23/11/2026 à 10:20, Desk a écrit :",
        phone: "Envoyé de mon iPhone",
    },
    Language {
        name: "Spanish",
        answer: "Desde el lunes no funciona.\nEl servidor escribió: error 503",
        outlook: "De: Desk <d@x.example>\nEnviado el: lunes, 23 de noviembre de 2026 10:20\nPara: Ann\nAsunto: RE: Login",
        gmail: "El lun, 23 nov 2026 a las 10:20, Desk (<d@x.example>)\nescribió:",
        apple: "El 23 nov 2026, a las 10:20, Desk <d@x.example> escribió:",
        thunderbird: "El 23/11/26 a las 10:20, Desk escribió:",
        phone: "Enviado desde mi iPhone",
    },
    Language {
        name: "Portuguese",
        answer: "Desde segunda não funciona.\nPodem ver?",
        outlook: "De: Desk <d@x.example>\nEnviada em: segunda-feira, 23 de novembro de 2026 10:20\nPara: Ann\nAssunto: RES: Login",
        gmail: "Em seg., 23 de nov. de 2026 às 10:20, Desk <d@x.example>\nescreveu:",
        apple: "Em 23 de nov. de 2026, à(s) 10:20, Desk <d@x.example> escreveu:",
        thunderbird: "Em 23/11/2026 10:20, Desk escreveu:",
        phone: "Enviado do meu iPhone",
    },
    Language {
        name: "Italian",
        answer: "Da lunedì non funziona.\nPotete guardare?",
        outlook: "Da: Desk <d@x.example>\nInviato: lunedì 23 novembre 2026 10:20\nA: Ann\nOggetto: R: Login",
        gmail: "Il giorno lun 23 nov 2026 alle ore 10:20 Desk <d@x.example> ha scritto:",
        apple: "Il giorno 23 nov 2026, alle ore 10:20, Desk <d@x.example> ha scritto:",
        thunderbird: "Il 23/11/26 10:20, Desk ha scritto:",
        phone: "Inviato da iPhone",
    },
    Language {
        name: "Dutch",
        answer: "Sinds maandag werkt het niet.\nOp kantoor schreef iemand: opnieuw starten",
        outlook: "Van: Desk <d@x.example>\nVerzonden: maandag 23 november 2026 10:20\nAan: Ann\nOnderwerp: RE: Login",
        gmail: "Op ma 23 nov 2026 om 10:20 schreef Desk <d@x.example>:",
        apple: "Op 23 nov 2026, om 10:20 heeft Desk <d@x.example> het volgende geschreven:",
        thunderbird: "Op 23-11-2026 om 10:20 schreef Desk:",
        phone: "Verstuurd vanaf mijn iPhone",
    },
    Language {
        name: "Polish",
        answer: "Od poniedziałku nie działa.\nCzy możecie sprawdzić?",
        outlook: "Od: Desk <d@x.example>\nWysłano: poniedziałek, 23 listopada 2026 10:20\nDo: Ann\nTemat: RE: Login",
        gmail: "pon., 23 lis 2026 o 10:20 Desk <d@x.example> napisał(a):",
        apple: "Wiadomość napisana przez Desk <d@x.example> w dniu 23 lis 2026, o godz. 10:20:",
        thunderbird: "W dniu 23.11.2026 o 10:20, Desk pisze:",
        phone: "Wysłane z iPhone'a",
    },
    Language {
        name: "Russian",
        answer: "С понедельника не работает.\nПосмотрите, пожалуйста.",
        outlook: "От: Desk <d@x.example>\nОтправлено: 23 ноября 2026 г. 10:20\nКому: Ann\nТема: RE: Login",
        gmail: "пн, 23 нояб. 2026 г. в 10:20, Desk <d@x.example>:",
        apple: "23 нояб. 2026 г., в 10:20, Desk <d@x.example> написал(а):",
        thunderbird: "23.11.2026 10:20, Desk пишет:",
        phone: "Отправлено с iPhone",
    },
    Language {
        name: "Japanese",
        answer: "月曜日から動きません。\n確認をお願いします。",
        outlook: "差出人: Desk <d@x.example>\n送信日時: 2026年11月23日 10:20\n宛先: Ann\n件名: RE: Login",
        gmail: "2026年11月23日(月) 10:20 Desk <d@x.example>:",
        apple: "2026/11/23 10:20、Desk <d@x.example>のメール:",
        thunderbird: "On 2026/11/23 10:20, Desk wrote:",
        phone: "iPhoneから送信",
    },
    Language {
        name: "Chinese",
        answer: "从周一开始又不行了。\n请看一下。",
        outlook: "发件人: Desk <d@x.example>\n发送时间: 2026年11月23日 10:20\n收件人: Ann\n主题: 回复: Login",
        gmail: "Desk <d@x.example> 于2026年11月23日周一 10:20写道：",
        apple: "2026年11月23日 上午10:20，Desk <d@x.example> 写道：",
        thunderbird: "在 2026/11/23 10:20, Desk 写道:",
        phone: "发自我的 iPhone",
    },
];

const QUOTE: &str = "> Which browser is it?\n> \n>> Older words.\n> Your desk";

/// The clients of a language with a mail each that carries the answer above.
fn mails(language: &Language) -> [(&'static str, String); 5] {
    let Language { answer, phone, .. } = language;
    let quoted = |attribution: &str| format!("{answer}\n\n{attribution}\n\n{QUOTE}\n");
    [
        (
            "Outlook",
            format!("{answer}\n\n{}\n\nWhich browser is it?\n", language.outlook),
        ),
        ("Gmail", quoted(language.gmail)),
        ("Apple Mail", quoted(language.apple)),
        ("Thunderbird", {
            let head = language.thunderbird;
            format!("{answer}\n\n-- \nAnn B\nBank of X\n\n{head}\n{QUOTE}\n")
        }),
        (
            "a phone",
            format!("{answer}\n\n{phone}\n\n{}\n{QUOTE}\n", language.apple),
        ),
    ]
}

#[test]
fn every_client_in_every_language_leaves_the_answer() {
    let mut tried = 0;
    for language in &LANGUAGES {
        for (client, mail) in mails(language) {
            assert_eq!(
                reply_text(&mail),
                language.answer,
                "{client}, {}",
                language.name
            );
            tried += 1;
        }
    }
    assert_eq!(tried, 55);
}

#[test]
fn answers_between_and_below_quotes_are_whole() {
    for language in &LANGUAGES {
        let (first, second) = language.answer.split_once('\n').expect("two lines");
        for attribution in [language.gmail, language.apple, language.thunderbird] {
            let between = format!("{attribution}\n> one?\n{first}\n> two?\n{second}\n\n> rest");
            let reply = reply_text(&between);
            for line in [first, second, "> one?", "> two?"] {
                assert!(reply.contains(line), "{}: {reply}", language.name);
            }
            assert!(!reply.contains("> rest"), "{}", language.name);
            let below = format!("{attribution}\n\n{QUOTE}\n\n{}", language.answer);
            assert_eq!(reply_text(&below), language.answer, "{}", language.name);
        }
    }
}

#[test]
fn what_looks_like_a_quote_mark_and_quotes_nothing_stays() {
    for language in &LANGUAGES {
        for attribution in [language.gmail, language.apple, language.thunderbird] {
            // The attribution introduces the person's own words: nothing below is quoted.
            for text in [
                format!("{}\n\n{attribution}\nold words", language.answer),
                format!("{}\n\n{attribution}", language.answer),
            ] {
                assert_eq!(reply_text(&text), text, "{}", language.name);
            }
        }
        // One line of a head is somebody's list.
        let line = language.outlook.lines().next().expect("a line");
        let text = format!("{}\n\n{line}\nand then?", language.answer);
        assert_eq!(reply_text(&text), text, "{}", language.name);
    }
}

/// A last line that goes on is a person's, however it begins.
#[test]
fn a_line_that_begins_like_a_phones_and_goes_on_stays() {
    for (last, is_kept) in [
        ("Sent from my iPhone and it fails", true),
        ("Sent from my colleague, not from me", true),
        ("Enviado desde mi casa, no funciona", true),
        ("Envoyé de mon bureau hier", true),
        ("Gesendet von meinem alten rechner", true),
        ("Sent from my iPhone", false),
        ("Sent from my Samsung Galaxy S24 Ultra", false),
        ("Sent from my mobile device", false),
        ("Gesendet von meinem iPhone", false),
    ] {
        let text = format!("It fails.\n\n{last}");
        let expected = if is_kept { text.as_str() } else { "It fails." };
        assert_eq!(reply_text(&text), expected, "{last}");
    }
}

#[test]
fn sentences_above_a_quote_stay_and_keep_it_if_they_introduce_it() {
    for sentence in [
        "Outlook voor mij werkt niet",
        "Our admin on 12 March 2026 wrote:",
        "2026 было так, и коллега пишет",
        "Об этом в 2026 году коллега пишет:",
        "Error 2026: <d@x.example>",
        "W tej sprawie w 2026 kolega pisze:",
        "昨天同事写道:",
    ] {
        let text = format!("Hello\n{sentence}\n{QUOTE}");
        let expected = if sentence.ends_with(':') {
            text.clone()
        } else {
            format!("Hello\n{sentence}")
        };
        assert_eq!(reply_text(&text), expected);
    }
}
