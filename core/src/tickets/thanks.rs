//! Whether a mail only says thank you, so that whoever reads it may set it aside.
//!
//! It errs on the side of work: every clause must be a thanks, a good word or a few words long, and
//! nothing may stand there that asks, denies, limits or names something. To add a language: its
//! words in `THANKS`, `GOOD` and `WORK`.

use std::{collections::HashSet, sync::LazyLock};

use crate::customers::fold;

/// A thanks is short, in characters and in words.
const MOST_CHARACTERS: usize = 200;
const MOST_WORDS: usize = 25;
/// A clause of so many words may be a name or a greeting that is in no list.
const SHORT_CLAUSE: usize = 3;

/// Words that thank.
const THANKS: &str = "
    thanks thank thx tnx thankyou appreciate appreciated
    danke dank dankeschön herzlichen
    merci remercie remercions
    gracias agradezco agradecemos agradecido agradecida
    obrigado obrigada agradeço agradecemos
    grazie ringrazio ringraziamo
    bedankt dankjewel dankuwel
    dziękuję dzięki dziękujemy
    tack takk kiitos děkuji díky köszönöm teşekkürler teşekkür спасибо дякую ευχαριστώ";

/// Scripts that write without spaces: wherever these stand.
const THANKS_INSIDE: &str = "ありがとう 感謝 谢谢 謝謝 感谢 多谢 감사";

/// Words of a clause that is no thanks and asks for nothing.
const GOOD: &str = "
    works working worked fixed solved resolved perfect perfectly great awesome excellent wonderful good
    fine best regards wishes weekend day evening help helped helpful lifesaver fast quick quickly
    funktioniert klappt läuft geht super perfekt prima gelöst behoben geholfen hilfe schnelle gruß grüße grüßen
    wochenende tag schönen
    marche fonctionne parfait parfaitement résolu réglé cordialement journée week aide bonne
    funciona perfecto resuelto solucionado saludos saludo ayuda día semana buen
    perfeito resolvido abraço abraços cumprimentos ajuda
    funziona perfetto risolto saluti aiuto giornata buona
    werkt perfect opgelost groeten groet hulp weekend fijne
    działa świetnie rozwiązane pozdrawiam pomoc dnia miłego";

/// Words that may mean that something is to be done.
const WORK: &str = "
    but however still yet although though except unless until when how why what where which who can could
    would will should shall may might must please pls need needs want wants not no never nothing cannot
    don doesn didn isn won wasn hasn haven aren couldn wouldn another also again back same more other next
    issue issues error errors fail fails failed failing broken wrong missing down crashed offline slow send
    forward call check let tell know confirm advance wait waiting if only asap urgent question questions
    request looking hear hearing soon instead stopped stop except unfortunately
    aber jedoch trotzdem leider noch nicht nichts kein keine keinen bitte wann wie warum wieso was wo wer
    welche können könnten kann könnte würden würde möchte möchten muss müssen brauche brauchen wieder nochmal
    erneut auch weitere anderes fehler falls wenn sobald voraus vorab schicken senden melden prüfen frage
    fragen warte nur außer
    mais cependant pourtant toujours encore pas ne n aucun quand comment pourquoi où pouvez pourriez peux peut
    veuillez svp plaît erreur autre aussi si faut besoin envoyer attends attente avance question sauf
    pero embargo aunque todavía aún no cuando cómo dónde puede pueden podría podrían favor necesito
    necesitamos otra otro también falta además antemano espero enviar salvo
    mas porém ainda não quando como onde pode podem poderia preciso precisamos outro outra também erro desde
    aguardo
    ma però tuttavia ancora non come dove perché può potete potrebbe potreste bisogno altro altra anche errore
    cortesia favore anticipo inviare attendo se tranne
    maar echter nog niet geen wanneer hoe waarom waar wat kan kunt kunnen zou zouden graag alstublieft aub
    nodig ook weer opnieuw fout vraag voorbaat alvast andere als
    ale jednak nadal wciąż jeszcze nie kiedy jak dlaczego gdzie co czy proszę prosimy potrzebuję może można
    możecie znowu ponownie też także również błąd inny inna pytanie góry jeśli
    men inte fortfarande när hur varför förhand
    но однако ещё не нет когда как почему где можно можете пожалуйста нужно снова опять также ошибка вопрос
    заранее";

/// The same where words have no spaces between them.
const WORK_INSIDE: &str = "
    ですが ますが けど しかし ただ また ください 下さい お願い でしょうか ですか ますか ません ない 確認 教えて エラー
    但 请 請 吗 嗎 还 還 没 沒 不 什么 怎么 如何 能否 问题 하지만 그런데 아직 주세요 부탁 나요 까요 않 못";

fn words(list: &str) -> HashSet<String> {
    list.split_whitespace().map(fold).collect()
}

static LISTS: LazyLock<[HashSet<String>; 5]> =
    LazyLock::new(|| [THANKS, GOOD, WORK, THANKS_INSIDE, WORK_INSIDE].map(words));

/// Whether a mail's own text, without quotes and signature, is a thank you and nothing else.
pub fn is_thanks(reply_text: &str) -> bool {
    let text = reply_text.trim();
    let asks_or_names = |c: char| {
        c.is_numeric()
            || matches!(
                c,
                '?' | '？' | '؟' | '\u{37e}' | '¿' | '@' | '/' | '#' | '='
            )
    };
    if text.chars().count() > MOST_CHARACTERS || text.contains(asks_or_names) {
        return false;
    }
    let [thanks, good, work, thanks_inside, work_inside] = &*LISTS;
    let folded = fold(text);
    if work_inside.iter().any(|part| folded.contains(part)) {
        return false;
    }
    let says_thanks = |word: &str| {
        thanks.contains(word)
            || thanks_inside
                .iter()
                .any(|part| word.contains(part.as_str()))
    };
    let (mut count, mut is_said) = (0, false);
    for clause in folded.split(|c: char| !c.is_alphanumeric() && !" \t'’-".contains(c)) {
        let words: Vec<&str> = clause
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        count += words.len();
        if words.iter().any(|word| work.contains(*word)) {
            return false;
        }
        let is_here = words.iter().any(|word| says_thanks(word));
        let is_good = words.iter().any(|word| good.contains(*word));
        if !is_here && !is_good && words.len() > SHORT_CLAUSE {
            return false;
        }
        is_said |= is_here;
    }
    is_said && count <= MOST_WORDS
}

#[cfg(test)]
mod tests;
