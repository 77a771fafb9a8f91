use super::*;

fn problems(text: &str) -> Vec<String> {
    let error = Catalogue::parse(text, "tiers.toml").expect_err("this catalogue is wrong");
    error.problems().iter().map(ToString::to_string).collect()
}

/// The built-in catalogue with one line of one tier changed.
fn changed(tier: &str, from: &str, to: &str) -> String {
    let text = Catalogue::EMBEDDED;
    let start = text.find(&format!("slug = \"{tier}\"")).unwrap();
    let (before, after) = text.split_at(start);
    assert!(after.contains(from), "{from}");
    format!("{before}{}", after.replacen(from, to, 1))
}

#[test]
fn the_built_in_catalogue_is_the_table_of_the_price_page() {
    let catalogue = Catalogue::embedded();
    let rows: Vec<String> = catalogue
        .iter()
        .map(|tier| {
            let published: Vec<String> = tier
                .published_first_response
                .iter()
                .map(|(_, cell)| cell.to_string())
                .collect();
            format!(
                "{} {} {} {} {} {} {}y {} {}",
                tier.rank,
                tier.slug,
                tier.monthly_price,
                tier.framework,
                tier.ou,
                published.join("/"),
                tier.audit_retention_years,
                tier.disclosure,
                tier.approvals
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "1 gov-federal $25,000 FedRAMP Customers-Government-Federal 1h/2h/2h/2h 10y alias 2",
            "2 healthcare $15,000 HIPAA Customers-Healthcare 2h/2h/2h/2h 7y metadata 1",
            "3 fintech $8,000 SOC 2 Customers-Fintech 4h/4h/4h/4h 3y subject 0",
            "4 standard $2,000 CIS Customers-Standard 24h/24h/24h/24h 1y excerpt 0",
        ]
    );
    assert_eq!(catalogue.default_severity(), Severity::Sev3);
}

#[test]
fn the_built_in_targets_are_those_of_the_matrix() {
    let catalogue = Catalogue::embedded();
    let shown = |goals: &PerSeverity<Goal>| -> Vec<String> {
        goals
            .iter()
            .map(|(_, goal)| {
                let contract = goal.contract.map_or("none".to_owned(), |c| c.to_string());
                format!("{contract}/{}", goal.internal)
            })
            .collect()
    };
    let matrix = [
        (
            "standard",
            ["24h/4h", "24h/8h", "24h/12h", "24h/24h"],
            "24h/30min",
        ),
        ("fintech", ["4h/1h", "4h/2h", "4h/4h", "4h/4h"], "4h/30min"),
        (
            "healthcare",
            ["2h/30min", "2h/1h", "2h/2h", "2h/2h"],
            "2h/30min",
        ),
        (
            "gov-federal",
            ["1h/15min", "2h/30min", "2h/1h", "2h/2h"],
            "1h/15min",
        ),
    ];
    for (slug, first, cadence) in matrix {
        let targets = &catalogue.get(slug).unwrap().targets;
        assert_eq!(shown(&targets.first_response), first);
        let next = shown(&targets.next_response);
        assert_eq!(
            (next[0].as_str(), &next[1..]),
            (cadence, &first.map(String::from)[1..])
        );
        assert_eq!(
            shown(&targets.resolution),
            ["none/8h", "none/24h", "none/3d", "none/10d"]
        );
    }
}

#[test]
fn strict_tiers_come_first_in_the_queue() {
    let catalogue = Catalogue::embedded();
    for (slug, row) in [
        ("gov-federal", "p1 p2 p3 p4"),
        ("healthcare", "p1 p2 p3 p4"),
        ("fintech", "p2 p3 p4 p4"),
        ("standard", "p2 p3 p4 p4"),
    ] {
        let slug: TierSlug = slug.parse().unwrap();
        let priorities = Severity::ALL.map(|s| catalogue.priority(&slug, s).unwrap().as_str());
        assert_eq!(priorities.join(" "), row);
    }
    let unknown: TierSlug = "gold".parse().unwrap();
    assert_eq!(catalogue.priority(&unknown, Severity::Sev1), None);
}

#[test]
fn strict_tiers_keep_content_out_of_chat() {
    for tier in Catalogue::embedded().iter() {
        let is_strict = tier.rank <= 2;
        assert_eq!(tier.has_free_text_in_chat, !is_strict);
        assert_eq!(tier.disclosure <= Disclosure::Metadata, is_strict);
        assert_eq!(tier.has_enforced_tls, is_strict);
        assert_eq!(tier.staff_attributes.is_empty(), !is_strict);
        assert!(
            tier.scps.len() <= 4,
            "AWS takes five on a target, one is FullAWSAccess"
        );
    }
}

#[test]
fn no_response_is_promised_slower_than_published() {
    for key in ["first_response", "next_response"] {
        let from = format!("[tier.{key}]\nsev1 = {{ contract = \"4h\"");
        let text = changed("fintech", &from, &from.replace("4h", "5h"));
        let found = problems(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].ends_with(&format!(
                "tier[2].{key}.sev1.contract promises tier fintech 5h at sev1, but 4h is \
                 published. Write 4h or less; published_first_response changes only with the \
                 price page."
            )),
            "{found:?}"
        );
        let line = text.lines().position(|line| line.contains("5h")).unwrap() + 1;
        assert!(
            found[0].starts_with(&format!("tiers.toml, line {line}: ")),
            "{found:?}"
        );
    }
}

#[test]
fn every_cell_is_there_and_none_is_only_for_what_is_not_sold() {
    let row = "sev2 = { contract = \"4h\", internal = \"2h\" }\n";
    let found = problems(&changed("fintech", row, ""));
    assert!(
        found[0].contains("tier[2].first_response.sev2 is missing"),
        "{found:?}"
    );
    let none = row.replace("4h", "none");
    let found = problems(&changed("fintech", row, &none));
    assert!(
        found[0].contains("first_response.sev2.contract is wrong: \"none\""),
        "{found:?}"
    );
    let next = "[tier.next_response]\nsev1 = { contract = \"4h\"";
    assert!(Catalogue::parse(&changed("fintech", next, &next.replace("4h", "none")), "x").is_ok());
    let found = problems(&changed("fintech", "ou = \"Customers-Fintech\"\n", ""));
    assert!(found[0].contains("tier[2].ou is missing"), "{found:?}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (from, to, said) in [
        (
            "internal = \"2h\"",
            "internal = \"9h\"",
            "is 9h, longer than the contract's 4h",
        ),
        (
            "internal = \"2h\"",
            "internal = \"0h\"",
            "\"0h\" is not longer than zero",
        ),
        (
            "internal = \"2h\"",
            "internal = \"-2h\"",
            "\"-2h\" is not longer than zero",
        ),
        (
            "approvals = 0",
            "approvals = 6",
            "approvals is 6. Write a whole number from 0 to 5.",
        ),
        (
            "rank = 3",
            "rank = 0",
            "rank is 0. Write a whole number from 1 to 1000.",
        ),
        ("rank = 3", "rank = 2", "rank is 2, as in an earlier tier"),
        (
            "slug = \"fintech\"",
            "slug = \"healthcare\"",
            "slug is healthcare, as in an earlier",
        ),
        (
            "Customers-Fintech",
            "Customers-Healthcare",
            "ou is Customers-Healthcare, as in",
        ),
        (
            "disclosure = ",
            "disclosuer = ",
            "Did you mean tier[2].disclosure?",
        ),
        (
            "\"subject\"",
            "\"all\"",
            "\"all\" is not a level of disclosure; it is one of alias,",
        ),
        (
            "\"24x7\"",
            "\"always\"",
            "\"always\" is neither 24x7 nor a window",
        ),
        ("800_000", "\"8000\"", "is text where a whole number"),
        (
            "sev1 = \"p2\"",
            "sev1 = \"p3\"",
            "puts tier fintech at p3, after the less strict tier",
        ),
    ] {
        let found = problems(&changed("fintech", from, to));
        assert!(
            found.iter().any(|problem| problem.contains(said)),
            "{said}: {found:?}"
        );
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let text = changed("fintech", "approvals = 0", "approvals = 9").replace("rank = 4", "rank = 0");
    let found = problems(&format!("unknown = 1\n{text}"));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(problems("")[0].contains("default_severity is missing"));
    assert_eq!(problems("[[tier]\n").len(), 1);
}

#[test]
fn nothing_in_the_catalogue_claims_a_state() {
    assert!(!Catalogue::EMBEDDED.to_lowercase().contains("complian"));
}
