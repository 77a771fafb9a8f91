//! What only the words around it give away, and cards.

use super::{ALNUM, LOWER_HEX, Seed, card, chars, grouped, seed};
use crate::masking::SecretKind::{
    ApiToken, BasicCredentials, BearerToken, CardNumber, Password, UrlPassword,
};

pub(super) fn passwords() -> Vec<Seed> {
    let strong = || ["Xk", "9!", "mQ", "4z"].concat();
    let word = || ["horse", "battery"].concat();
    vec![
        seed("colon", Password, strong(), "Password: {}"),
        seed("upper case", Password, strong(), "PASSWORD:{}"),
        seed(
            "plain word at the end",
            Password,
            word(),
            "User: admin\nPassword: {}\nThanks",
        ),
        seed("passwd", Password, strong(), "passwd={}"),
        seed("variable", Password, strong(), "MYSQL_ROOT_PASSWORD={}"),
        seed(
            "JSON",
            Password,
            word(),
            "{\"user\":\"a\",\"password\":\"{}\",\"b\":1}",
        ),
        seed(
            "escaped JSON",
            Password,
            strong(),
            "{\\\"password\\\":\\\"{}\\\"}",
        ),
        seed("YAML", Password, strong(), "db:\n  password: '{}'"),
        seed(
            "sentence",
            Password,
            strong(),
            "my password is {} and it fails",
        ),
        seed(
            "next line",
            Password,
            strong(),
            "Your password:\n\n    {}\n",
        ),
        seed("bold", Password, strong(), "**Password:** {}"),
        seed("note", Password, strong(), "Password (temporary): {}"),
        seed("no-break space", Password, strong(), "Password:\u{a0}{}"),
        seed("German", Password, strong(), "Das Passwort lautet {}"),
        seed("German, older", Password, strong(), "Kennwort: {}"),
        seed("French", Password, strong(), "Mot de passe : {}"),
        seed("Spanish", Password, strong(), "Contraseña: {}"),
        seed("Polish", Password, strong(), "hasło: {}"),
        seed("short word", Password, strong(), "user: root pass: {}"),
        seed(
            "pwd",
            Password,
            strong(),
            "Server=db;Uid=a;Pwd={};Database=d",
        ),
        seed(
            "digits",
            Password,
            ["48", "15", "16"].concat(),
            "passcode: {}",
        ),
        seed(
            "umlaut",
            Password,
            format!("{}ä€", strong()),
            "password: {}",
        ),
    ]
}

pub(super) fn assigned() -> Vec<Seed> {
    vec![
        seed("api_key", ApiToken, chars(ALNUM, 32, 11), "api_key={}"),
        seed(
            "apikey in a URL",
            ApiToken,
            chars(ALNUM, 32, 12),
            "https://h/x?apikey={}&y=1",
        ),
        seed(
            "header",
            ApiToken,
            chars(LOWER_HEX, 40, 13),
            "X-Api-Key: {}",
        ),
        seed(
            "words",
            ApiToken,
            chars(ALNUM, 24, 14),
            "our API key is {} for now",
        ),
        seed(
            "token",
            ApiToken,
            chars(ALNUM, 36, 15),
            "\"access_token\": \"{}\"",
        ),
        seed(
            "client secret",
            ApiToken,
            chars(ALNUM, 34, 16),
            "client_secret: '{}'",
        ),
        seed(
            "signing key",
            ApiToken,
            chars(LOWER_HEX, 64, 17),
            "SIGNING_KEY={}",
        ),
    ]
}

pub(super) fn headers() -> Vec<Seed> {
    let pair = data_encoding::BASE64.encode(["desk", ":", "Xk9", "mQ4z"].concat().as_bytes());
    let password = || ["s3", "cr", "3t", "Pw"].concat();
    vec![
        seed(
            "bearer",
            BearerToken,
            chars(ALNUM, 40, 21),
            "Authorization: Bearer {}",
        ),
        seed(
            "bearer, curl",
            BearerToken,
            chars(ALNUM, 30, 22),
            "-H 'authorization: bearer {}'",
        ),
        seed("basic", BasicCredentials, pair, "Authorization: Basic {}"),
        seed(
            "database",
            UrlPassword,
            password(),
            "postgres://desk:{}@db.internal:5432/desk",
        ),
        seed(
            "web",
            UrlPassword,
            password(),
            "https://user:{}@example.com/path",
        ),
        seed(
            "raw slash",
            UrlPassword,
            format!("a/{}", password()),
            "amqp://u:{}@mq/v",
        ),
        seed(
            "digits",
            UrlPassword,
            ["48", "275", "931"].concat(),
            "ftp://u:{}@h/",
        ),
    ]
}

pub(super) fn cards() -> Vec<Seed> {
    let four = [4, 4, 4, 4];
    vec![
        seed(
            "Visa",
            CardNumber,
            card("4", 16),
            "card {}, valid until 12/28",
        ),
        seed(
            "Visa, groups",
            CardNumber,
            grouped(&card("4", 16), &four, " "),
            "{} 12/28 123",
        ),
        seed(
            "Mastercard",
            CardNumber,
            grouped(&card("53", 16), &four, "-"),
            "VISA or {}",
        ),
        seed("Mastercard, new", CardNumber, card("2412", 16), "No. {}."),
        seed(
            "Amex",
            CardNumber,
            grouped(&card("37", 15), &[4, 6, 5], " "),
            "AMEX {}",
        ),
        seed(
            "Diners",
            CardNumber,
            grouped(&card("36", 14), &[4, 6, 4], " "),
            "{}",
        ),
        seed("Discover", CardNumber, card("6011", 16), "{}"),
        seed("JCB", CardNumber, card("3530", 16), "{}"),
        seed("UnionPay", CardNumber, card("62", 19), "{}"),
    ]
}
