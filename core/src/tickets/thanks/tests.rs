//! What is a thanks and what is work, by example.

use super::is_thanks;

const THANKS: &[&str] = &[
    "Thanks!",
    "Thank you so much.",
    "Thank you very much for the quick help!",
    "thx",
    "Perfect, thanks!",
    "Works now, thank you!\n\nJohn",
    "That fixed it. Thanks a lot, have a great weekend.",
    "Thanks for your help, everything works perfectly.",
    "Many thanks\nAnn Smith",
    "Much appreciated!",
    "THANK YOU!!! 🎉",
    "Hi Olivia,\n\nthank you, all good.\n\nBest regards",
    "Danke!",
    "Vielen Dank für die schnelle Hilfe!",
    "Hallo,\n\nherzlichen Dank, es funktioniert.\n\nViele Grüße\nJürgen",
    "Super, danke schön",
    "Dankeschön, läuft.",
    "Merci !",
    "Merci beaucoup pour votre aide.",
    "Parfait, merci. Bonne journée",
    "Je vous remercie, tout fonctionne.",
    "¡Muchas gracias!",
    "Perfecto, gracias por la ayuda.",
    "Gracias, ya funciona.\nSaludos",
    "Muito obrigado!",
    "Obrigada pela ajuda, funciona.",
    "Perfeito, obrigado. Abraço",
    "Grazie mille!",
    "Perfetto, grazie per l'aiuto",
    "La ringrazio, funziona. Cordiali saluti",
    "Bedankt!",
    "Hartelijk dank voor de hulp.",
    "Top, dankjewel. Fijne dag",
    "Dziękuję bardzo!",
    "Dzięki, działa. Pozdrawiam",
    "ありがとうございます。",
    "助かりました。ありがとうございました！",
    "谢谢！",
    "非常感谢",
    "감사합니다!",
    "Tack så mycket!",
    "Kiitos!",
    "Спасибо большое!",
    "Děkuji, super.",
    "Teşekkürler!",
    "Ευχαριστώ πολύ!",
];

const WORK: &[&str] = &[
    "",
    "Yes.",
    "Perfect!",
    "It works now.",
    "Thanks, but it is still broken.",
    "Thanks. One more thing: the export is slow.",
    "Thank you. Could you also look at the invoice?",
    "Thanks, how long will it take",
    "Thanks, please close it.",
    "Thanks in advance",
    "Thank you, let me know",
    "Thanks for nothing",
    "Thanks! The account is 222233334444.",
    "Thanks, see SB-14",
    "Thanks, here is it: https://example.com/a",
    "Thanks, write to ann@acmefinance.com",
    "Thanks, the dashboard is down",
    "Thanks, our new colleague begins on Monday",
    "Thanks. Our certificate expires this Friday.",
    "Thanks, the same error again",
    "thanks, doesn't work",
    "Thanks, it doesn’t work for Ann",
    "Thanks for looking, we hear from you soon",
    "Danke, aber es geht nicht.",
    "Danke, wann kommt die Rechnung",
    "Vielen Dank im Voraus",
    "Danke. Bitte noch die Rechnung schicken.",
    "Danke, leider wieder derselbe Fehler",
    "Merci, mais ça ne marche pas",
    "Merci d'avance",
    "Merci de nous envoyer la facture s'il vous plaît",
    "Gracias, pero todavía falla",
    "Gracias de antemano",
    "Gracias. ¿Y la factura?",
    "Obrigado, mas ainda não funciona",
    "Obrigado desde já",
    "Grazie, ma non funziona ancora",
    "Grazie in anticipo",
    "Bedankt, maar het werkt niet",
    "Alvast bedankt",
    "Dziękuję, ale nadal nie działa",
    "Z góry dziękuję",
    "ありがとうございます。まだ動きません。",
    "ありがとうございます。確認してください。",
    "ありがとうございますが、エラーが出ます",
    "谢谢，但是还不行",
    "감사합니다. 확인 부탁드립니다.",
    "Спасибо, но не работает",
    "Thank you for the call with the team of yours in which we spoke of the plan for the year that begins \
     after this one and of the people of ours who take part in all of it then",
];

#[test]
#[expect(clippy::print_stdout, reason = "the figures are read from the run")]
fn a_thanks_is_told_from_work() {
    let missed: Vec<_> = THANKS.iter().filter(|text| !is_thanks(text)).collect();
    let wrong: Vec<_> = WORK.iter().filter(|text| is_thanks(text)).collect();
    println!(
        "{} of {} thanks are told; {} of {} others are taken for one",
        THANKS.len() - missed.len(),
        THANKS.len(),
        wrong.len(),
        WORK.len()
    );
    assert!(THANKS.len() >= 40 && WORK.len() >= 40);
    assert!(
        missed.is_empty() && wrong.is_empty(),
        "missed: {missed:?}; wrong: {wrong:?}"
    );
}

#[test]
fn a_long_thanks_is_read_by_a_person() {
    assert!(is_thanks("Thanks! ".repeat(25).trim()));
    assert!(!is_thanks("Thanks! ".repeat(26).trim()));
}
