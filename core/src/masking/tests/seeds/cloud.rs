//! AWS credentials and private keys.

use super::{BASE64, Seed, UPPER, chars, pem, prefixed, seed};
use crate::masking::SecretKind::{AwsAccessKey, AwsSecretKey, AwsSessionToken, PrivateKey};

pub(super) fn aws() -> Vec<Seed> {
    let secret = || chars(BASE64, 40, 1);
    let session = || format!("{}{}", ["FwoGZX", "IvYXdz"].concat(), chars(BASE64, 300, 2));
    vec![
        seed(
            "long-lived id",
            AwsAccessKey,
            prefixed(["AK", "IA"], UPPER, 16),
            "id {}, please",
        ),
        seed(
            "temporary id",
            AwsAccessKey,
            prefixed(["AS", "IA"], UPPER, 16),
            "export ID={}",
        ),
        seed(
            "secret, said",
            AwsSecretKey,
            secret(),
            "The secret of it would be\n\n  {}",
        ),
        seed(
            "secret, named",
            AwsSecretKey,
            secret(),
            "aws_secret_access_key = {}",
        ),
        seed(
            "secret, in JSON",
            AwsSecretKey,
            secret(),
            "{\"SecretAccessKey\":\"{}\"}",
        ),
        seed(
            "secret, exported",
            AwsSecretKey,
            secret(),
            "export AWS_SECRET_ACCESS_KEY={}",
        ),
        seed(
            "session, named",
            AwsSessionToken,
            session(),
            "aws_session_token={}",
        ),
        seed(
            "session, bare",
            AwsSessionToken,
            session(),
            "it says {} there",
        ),
        seed(
            "session of another form",
            AwsSessionToken,
            format!("{}{}", ["IQoJb3", "JpZ2lu"].concat(), chars(BASE64, 200, 9)),
            "AWS_SESSION_TOKEN: \"{}\"",
        ),
    ]
}

pub(super) fn keys() -> Vec<Seed> {
    let rsa = ["RSA PRIV", "ATE KEY"].concat();
    let plain = ["PRIV", "ATE KEY"].concat();
    vec![
        seed("RSA", PrivateKey, pem(&rsa, "\n", true), "{}"),
        seed("PKCS 8", PrivateKey, pem(&plain, "\r\n", true), "{}"),
        seed(
            "OpenSSH",
            PrivateKey,
            pem(&format!("OPENSSH {plain}"), "\n", true),
            "{}",
        ),
        seed(
            "EC, quoted",
            PrivateKey,
            pem(&format!("EC {plain}"), "\n> ", true),
            "> {}",
        ),
        seed(
            "encrypted",
            PrivateKey,
            pem(&format!("ENCRYPTED {plain}"), "\n", true),
            "{}",
        ),
        seed(
            "OpenPGP",
            PrivateKey,
            pem(&format!("PGP {plain} BLOCK"), "\n", true),
            "{}",
        ),
        seed("cut off", PrivateKey, pem(&rsa, "\n", false), "{}"),
        seed(
            "escaped",
            PrivateKey,
            pem(&plain, "\\n", true),
            "\"private_key\": \"{}\\n\"",
        ),
        seed("on one line", PrivateKey, pem(&plain, " ", true), "{}"),
        seed(
            "age",
            PrivateKey,
            format!(
                "{}{}",
                ["AGE-SECRET", "-KEY-1"].concat(),
                chars(UPPER, 58, 4)
            ),
            "{}",
        ),
    ]
}
