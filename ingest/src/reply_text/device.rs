//! The line that a phone or its mail program adds below what somebody wrote.
//!
//! Only products that are known are taken for one: "Sent from my Accountant" is a person's. To add
//! one, a word in [`PRODUCTS`]; a language, its beginning in [`STARTS`].

const STARTS: [&str; 36] = [
    "Sent from my ",
    "Sent from Mail for ",
    "Sent from Outlook for ",
    "Sent from ",
    "Get Outlook for ",
    "Von meinem ",
    "Gesendet von meinem ",
    "Gesendet mit der ",
    "Gesendet von Outlook für ",
    "Gesendet von Mail für ",
    "Holen Sie sich Outlook für ",
    "Outlook für ",
    "Envoyé de mon ",
    "Envoyé depuis mon ",
    "Envoyé à partir de Outlook pour ",
    "Obtenez Outlook pour ",
    "Télécharger Outlook pour ",
    "Enviado desde mi ",
    "Enviado desde Outlook para ",
    "Obtener Outlook para ",
    "Enviado do meu ",
    "Enviado a partir do meu ",
    "Obter o Outlook para ",
    "Inviato da ",
    "Inviato dal mio ",
    "Ottieni Outlook per ",
    "Scarica Outlook per ",
    "Verstuurd vanaf mijn ",
    "Verzonden vanaf mijn ",
    "Outlook voor ",
    "Wysłane z ",
    "Wysłano z ",
    "Отправлено с ",
    "Skickat från min ",
    "发自我的",
    "Sendt fra min ",
];

/// One of them has to be named.
const PRODUCTS: [&str; 45] = [
    "iphone",
    "ipad",
    "ipod",
    "ios",
    "samsung",
    "galaxy",
    "android",
    "huawei",
    "honor",
    "xiaomi",
    "redmi",
    "pixel",
    "oneplus",
    "oppo",
    "motorola",
    "nokia",
    "xperia",
    "blackberry",
    "windows",
    "outlook",
    "yahoo",
    "gmail",
    "proton",
    "protonmail",
    "telekom",
    "gmx",
    "web.de",
    "phone",
    "mobile",
    "device",
    "smartphone",
    "tablet",
    "handy",
    "móvil",
    "celular",
    "telemóvel",
    "portable",
    "téléphone",
    "cellulare",
    "telefon",
    "telefono",
    "telefoon",
    "toestel",
    "mobiltelefon",
    "smartfona",
];

/// Words that may stand beside a product.
const BESIDE: [&str; 23] = [
    "cell",
    "mini",
    "pro",
    "max",
    "ultra",
    "plus",
    "lite",
    "note",
    "air",
    "se",
    "google",
    "apple",
    "sony",
    "mail",
    "app",
    "using",
    "for",
    "de",
    "on",
    "gesendet",
    "downloaden",
    "beziehen",
    "herunterladen",
];

pub(super) fn is_device_line(line: &str) -> bool {
    let line = without_addresses(line.trim());
    let line = line.trim();
    if line == "iPhoneから送信" || line == "iPadから送信" {
        return true;
    }
    // Longer ones go on to say something.
    line.len() <= 60
        && STARTS
            .iter()
            .any(|start| line.strip_prefix(start).is_some_and(is_only_a_product))
        // `Von meinem` begins ordinary German sentences, "Outlook voor" Dutch ones.
        && (!line.starts_with("Von meinem ") || line.trim_end_matches('.').ends_with("gesendet"))
        && (!line.starts_with("Outlook voor ") || line.contains("downloaden"))
        && (!line.starts_with("Outlook für ")
            || ["beziehen", "herunterladen"].iter().any(|verb| line.ends_with(verb)))
}

/// Outlook writes the address of its shop behind its name: `iOS<https://…>`.
fn without_addresses(line: &str) -> String {
    let mut short = String::new();
    // With its address it may be long; a person's line of that length is none of these.
    if line.len() > 300 {
        return line.to_owned();
    }
    let mut rest = line;
    while let Some((before, address)) = rest.split_once("<http") {
        short.push_str(before);
        rest = address.split_once('>').map_or("", |(_, after)| after);
    }
    short.push_str(rest);
    short
}

/// "Sent from my iPhone" is a device's line, "Sent from my iPhone and it fails" a person's.
fn is_only_a_product(rest: &str) -> bool {
    let mut is_named = false;
    let mut is_only = true;
    for word in rest.split_whitespace() {
        let word = word.trim_matches(['.', ',', '(', ')']).to_lowercase();
        // Polish declines them: iPhone'a, iPada.
        let word = word.trim_end_matches("'a").trim_end_matches("’a");
        let is_product = PRODUCTS.contains(&word) || word == "ipada";
        is_named |= is_product;
        is_only &= is_product
            || word.is_empty()
            || BESIDE.contains(&word)
            // A model: S24, 5G, SM-G991B.
            || (word.len() <= 10 && word.bytes().any(|byte| byte.is_ascii_digit()));
    }
    is_named && is_only
}
