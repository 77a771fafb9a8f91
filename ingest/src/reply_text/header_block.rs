//! The head that Outlook and its like put over an earlier mail which they do not quote.

use super::Lines;

const FROM: [&str; 10] = [
    "From",
    "Von",
    "De",
    "Da",
    "Van",
    "Od",
    "От",
    "差出人",
    "发件人",
    "寄件者",
];
const SENT: [&str; 23] = [
    "Sent",
    "Date",
    "Gesendet",
    "Datum",
    "Envoyé",
    "Enviado",
    "Enviado el",
    "Enviada em",
    "Enviado em",
    "Enviada",
    "Inviato",
    "Data",
    "Fecha",
    "Verzonden",
    "Wysłano",
    "Отправлено",
    "Дата",
    "送信日時",
    "日時",
    "发送时间",
    "发送日期",
    "日期",
    "傳送時間",
];
const SUBJECT: [&str; 12] = [
    "Subject",
    "Betreff",
    "Objet",
    "Asunto",
    "Assunto",
    "Oggetto",
    "Onderwerp",
    "Temat",
    "Тема",
    "件名",
    "主题",
    "主旨",
];
const ORIGINAL: [&str; 14] = [
    "Original Message",
    "Ursprüngliche Nachricht",
    "Message d'origine",
    "Message d’origine",
    "Mensaje original",
    "Mensagem original",
    "Messaggio originale",
    "Oorspronkelijk bericht",
    "Wiadomość oryginalna",
    "Oryginalna wiadomość",
    "Исходное сообщение",
    "元のメッセージ",
    "原始邮件",
    "邮件原件",
];
const FORWARDED: [&str; 20] = [
    "Forwarded message",
    "Begin forwarded message",
    "Weitergeleitete Nachricht",
    "Message transféré",
    "Mensaje reenviado",
    "Mensagem encaminhada",
    "Messaggio inoltrato",
    "Doorgestuurd bericht",
    "Begin doorgestuurd bericht",
    "Wiadomość przekazana dalej",
    "Przekazana wiadomość",
    "Пересылаемое сообщение",
    "Начало переадресованного сообщения",
    "転送されたメッセージ",
    "转发的邮件",
    "Anfang der weitergeleiteten Nachricht",
    "Début du message transféré",
    "Inicio del mensaje reenviado",
    "Início da mensagem reencaminhada",
    "Inizio messaggio inoltrato",
];

/// The header fields stand within so many lines.
const LOOK_AHEAD: usize = 8;

/// Whether the line says that a forwarded mail follows.
pub(crate) fn is_forward_line(line: &str) -> bool {
    line.len() < 100
        && FORWARDED
            .iter()
            .any(|words| starts_without_case(line.trim_matches(['-', ' ', '>']), words))
}

fn starts_without_case(line: &str, words: &str) -> bool {
    line.get(..words.len())
        .is_some_and(|start| start.to_lowercase() == words.to_lowercase())
}

/// Whether an earlier mail's head begins at this line.
pub(super) fn begins_at(lines: &Lines<'_>, index: usize) -> bool {
    let line = lines.line(index).trim();
    if line.starts_with("---") && line.ends_with("---") && line.len() < 100 {
        return ORIGINAL
            .iter()
            .any(|words| starts_without_case(line.trim_matches(['-', ' ']), words));
    }
    if line.len() >= 20 && line.bytes().all(|byte| byte == b'_') {
        let next = (index + 1..lines.len().min(index + 4)).find(|&next| !lines.is_blank(next));
        return next.is_some_and(|next| is_head(lines, next));
    }
    // Inside a paragraph it is somebody's sentence.
    (index == 0 || lines.is_blank(index - 1)) && is_head(lines, index)
}

fn is_head(lines: &Lines<'_>, index: usize) -> bool {
    if !has_label(lines.line(index), &FROM) {
        return false;
    }
    let block = index + 1..lines.len().min(index + LOOK_AHEAD);
    let has = |labels: &[&str]| {
        block
            .clone()
            .any(|next| has_label(lines.line(next), labels))
    };
    has(&SENT) && has(&SUBJECT)
}

/// Whether the line is `label: …`, also in bold and with the French space before the colon.
fn has_label(line: &str, labels: &[&str]) -> bool {
    let line = line.trim_start().trim_start_matches('*');
    let label = line.split([':', '：']).next().unwrap_or_default();
    label.len() < line.len()
        && label.len() <= 32
        && labels.contains(&label.trim_end_matches('*').trim_end())
}
