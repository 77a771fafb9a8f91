//! Subjects as programs write them, in the languages of our customers and of the large providers.
//! No subject decides alone: people write all of these too.

/// The subject of a report that a mail was not delivered, or not yet.
pub(crate) fn is_failure(subject: &str) -> bool {
    const WORDS: [&str; 37] = [
        "undeliver",
        "nondeliver",
        "delivery status notification",
        "delivery failure",
        "delivery notification",
        "delivery has failed",
        "delivery incomplete",
        "address not found",
        "failure notice",
        "mail failure",
        "mail delivery failed",
        "mail delivery system",
        "mail system error",
        "returned mail",
        "returned to sender",
        "user unknown",
        "unzustellbar",
        "nicht zugestellt",
        "non remis",
        "no se puede entregar",
        "no entregado",
        "não foi entregue",
        "não é possível entregar",
        "mancata consegna",
        "non recapitabile",
        "onbestelbaar",
        "niedostarczalne",
        "nie można dostarczyć",
        "не доставлено",
        "недоставленное",
        "配信不能",
        "配信できません",
        "无法送达",
        "未送达",
        "退信",
        "non-delivery",
        "not delivered",
    ];
    let subject = subject.to_lowercase();
    !is_answer(&subject) && (WORDS.iter().any(|word| subject.contains(word)) || is_delay(&subject))
}

/// The subject, in lower case, of a report that a mail is still under way.
pub(crate) fn is_delay(subject: &str) -> bool {
    const WORDS: [&str; 9] = [
        "(delay)",
        "delivery delayed",
        "delivery is delayed",
        "could not send message for past",
        "warning: could not send",
        "delayed mail",
        "verzögerte zustellung",
        "zustellung verzögert",
        "remise différée",
    ];
    WORDS.iter().any(|word| subject.contains(word))
        || subject.starts_with("delayed:")
        || (subject.starts_with("warning: message") && subject.contains("delayed"))
}

/// What people's programs put before the subject of an answer or of a forwarded mail.
fn is_answer(subject: &str) -> bool {
    const PREFIXES: [&str; 18] = [
        "re", "aw", "antw", "sv", "vs", "odp", "rif", "r", "fwd", "fw", "wg", "tr", "rv", "enc",
        "i", "doorst", "回复", "转发",
    ];
    let prefix = subject.split([':', '：']).next().unwrap_or_default();
    prefix.len() < subject.len() && PREFIXES.contains(&prefix.trim())
}

/// The subject of a notice that somebody is away.
pub(super) fn is_absence(subject: &str) -> bool {
    const PREFIXES: [&str; 40] = [
        "automatic reply:",
        "auto reply:",
        "auto-reply:",
        "autoreply:",
        "auto:",
        "auto response:",
        "autoresponse:",
        "out of office",
        "out of the office",
        "away from my mail",
        "vacation:",
        "vacation reply",
        "automatische antwort",
        "abwesenheitsnotiz",
        "abwesenheit:",
        "réponse automatique",
        "absence du bureau",
        "message d'absence",
        "respuesta automática",
        "fuera de la oficina",
        "fuera de oficina",
        "resposta automática",
        "ausência",
        "risposta automatica",
        "fuori sede",
        "automatisch antwoord",
        "automatisch antwoorden",
        "afwezig",
        "autoodpowiedź",
        "automatyczna odpowiedź",
        "odpowiedź automatyczna",
        "автоматический ответ",
        "автоответ",
        "自動応答",
        "自動返信",
        "不在通知",
        "自动答复",
        "自动回复",
        "自動回覆",
        "自動回复",
    ];
    let subject = subject.to_lowercase();
    PREFIXES.iter().any(|prefix| subject.starts_with(prefix))
}
