// SPDX-License-Identifier: Apache-2.0
//! Rules about accounts of somebody else that may look at Flower.

use super::addresses::{misfit, no_address, odd_address};
use super::given::{Flower, PATH, Place};
use crate::api::{OAuth, OAuthProvider, Word as _};
use crate::celery::expansion::expands;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// The login handlers of Flower, below `flower.views.auth`.
const HANDLERS: &[&str] =
    &["GoogleAuth2LoginHandler", "GithubLoginHandler", "GitLabLoginHandler", "OktaLoginHandler"];
/// Where Flower keeps them.
const MODULE: &str = "flower.views.auth";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "F15", severity: Severity::Deny, schema: true, since: "0.1",
        title: "emails are addresses, or one pattern for a domain",
        consequence: "Flower ends with \"Invalid '--auth' option\", or lets nobody in; without any address it lets everybody in, and by an empty one beside others whoever has none. Beside one \".*\" Flower escapes whatever has a meaning in a regular expression by itself: .*@example\\.com matched nobody.",
        check: Check::object(f15),
        example: Example {
            bad: "spec: {flowerSpec: {auth: {oauth: {provider: github, keySecretRef: {name: oauth, key: id}, secretSecretRef: {name: oauth, key: secret}, cookieSecretRef: {name: oauth, key: cookie}, redirectUri: 'https://flower.example.com/login'}}}}",
            at: "spec.flowerSpec.auth.oauth.emails",
            good: "spec: {flowerSpec: {auth: {oauth: {provider: github, emails: ['.*@example.com'], keySecretRef: {name: oauth, key: id}, secretSecretRef: {name: oauth, key: secret}, cookieSecretRef: {name: oauth, key: cookie}, redirectUri: 'https://flower.example.com/login'}}}}",
            old: None,
        },
    },
    Rule {
        id: "F16", severity: Severity::Deny, schema: true, since: "0.1",
        title: "accounts need a provider",
        consequence: "Flower answers every page with 404, the login included.",
        check: Check::object(f16),
        example: Example {
            bad: "spec: {flowerSpec: {auth: {oauth: {emails: [me@example.com], keySecretRef: {name: oauth, key: id}, secretSecretRef: {name: oauth, key: secret}, cookieSecretRef: {name: oauth, key: cookie}, redirectUri: 'https://flower.example.com/login'}}}}",
            at: "spec.flowerSpec.auth.oauth.provider",
            good: "spec: {flowerSpec: {auth: {oauth: {provider: google, emails: [me@example.com], keySecretRef: {name: oauth, key: id}, secretSecretRef: {name: oauth, key: secret}, cookieSecretRef: {name: oauth, key: cookie}, redirectUri: 'https://flower.example.com/login'}}}}",
            old: None,
        },
    },
    Rule {
        id: "F17", severity: Severity::Deny, schema: true, since: "0.1",
        title: "the provider is one that Flower knows",
        consequence: "Flower closes the connection of everybody who wants to log in.",
        check: Check::object(f17),
        example: Example {
            bad: "spec: {flowerSpec: {auth: {oauth: {provider: GitHub, emails: [me@example.com], keySecretRef: {name: oauth, key: id}, secretSecretRef: {name: oauth, key: secret}, cookieSecretRef: {name: oauth, key: cookie}, redirectUri: 'https://flower.example.com/login'}}}}",
            at: "spec.flowerSpec.auth.oauth.provider",
            good: "spec: {flowerSpec: {auth: {oauth: {provider: github, emails: [me@example.com], keySecretRef: {name: oauth, key: id}, secretSecretRef: {name: oauth, key: secret}, cookieSecretRef: {name: oauth, key: cookie}, redirectUri: 'https://flower.example.com/login'}}}}",
            old: None,
        },
    },
    Rule {
        id: "F18", severity: Severity::Deny, schema: false, since: "0.1",
        title: "accounts need a client id, its secret, and an address to come back to",
        consequence: "The provider refuses every login.",
        check: Check::object(f18).or(Severity::Warn, "when the redirectUri is not that of Flower's login page"),
        example: Example {
            bad: "spec: {flowerSpec: {auth: {oauth: {provider: gitlab, emails: [me@example.com], secretSecretRef: {name: oauth, key: secret}, cookieSecretRef: {name: oauth, key: cookie}, redirectUri: 'https://flower.example.com/login'}}}}",
            at: "spec.flowerSpec.auth.oauth.keySecretRef",
            good: "spec: {flowerSpec: {env: [{name: FLOWER_OAUTH2_OKTA_BASE_URL, value: 'https://example.okta.com/oauth2'}], auth: {oauth: {provider: okta, emails: [me@example.com], keySecretRef: {name: oauth, key: id}, secretSecretRef: {name: oauth, key: secret}, cookieSecretRef: {name: oauth, key: cookie}, redirectUri: 'https://flower.example.com/login'}}}}",
            old: None,
        },
    },
    Rule {
        id: "F19", severity: Severity::Warn, schema: false, since: "0.1",
        title: "cookies are signed by a secret that stays",
        consequence: "Every pod makes up a secret of its own: a restart logs everybody out, and two replicas never agree.",
        check: Check::object(f19),
        example: Example {
            bad: "spec: {flowerSpec: {auth: {oauth: {provider: github, emails: [me@example.com], keySecretRef: {name: oauth, key: id}, secretSecretRef: {name: oauth, key: secret}, redirectUri: 'https://flower.example.com/login'}}}}",
            at: "spec.flowerSpec.auth.oauth.cookieSecretRef",
            good: "spec: {flowerSpec: {auth: {oauth: {provider: github, emails: [me@example.com], keySecretRef: {name: oauth, key: id}, secretSecretRef: {name: oauth, key: secret}, cookieSecretRef: {name: oauth, key: cookie}, redirectUri: 'https://flower.example.com/login'}}}}",
            old: None,
        },
    },
];

/// The typed accounts and their path.
fn typed<'a>(flower: &Flower<'a>) -> Option<(&'a OAuth, String)> {
    let oauth = flower.spec.auth.as_ref()?.oauth.as_ref()?;
    Some((oauth, format!("{PATH}.auth.oauth")))
}

/// The pattern of addresses in an argument or a variable, where no typed field stands.
fn untyped<'a>(flower: &Flower<'a>) -> Option<(&'a str, Place)> {
    if typed(flower).is_some() {
        return None;
    }
    let auth = flower.option("auth");
    auth.text().filter(|(text, _)| !text.is_empty()).map(|(text, place)| (text, place.clone()))
}

fn f15(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let fix = |text: &str| {
        let fix = "list addresses, or one \".*@example.com\"";
        if text.contains('\\') { "write the dots as they are, as in \".*@example.com\"" } else { fix }
    };
    if let Some((oauth, path)) = typed(&flower) {
        let path = format!("{path}.emails");
        if oauth.emails.is_empty() {
            let message = "without an address Flower lets everybody in";
            return report.add(Kind::Required, path, message, fix(""));
        }
        for (at, email) in oauth.emails.iter().enumerate() {
            let shared = oauth.emails.len() > 1 && email.contains('*');
            let message = if shared { Some("is a pattern beside other addresses") } else { misfit(email) };
            let empty = email.trim().is_empty().then_some("is empty");
            let message = empty.or(message).map(|message| (message, fix(email)));
            let message = message.or_else(|| odd_address(email));
            let message = message.map(|(message, fix)| (message, fix.to_owned()));
            let is_alone = oauth.emails.len() == 1;
            if let Some((message, fix)) = message.or_else(|| no_address(email, is_alone)) {
                report.add(Kind::Invalid, format!("{path}[{at}]"), message, fix);
            }
        }
    } else if let Some((pattern, place)) = untyped(&flower)
        && let Some((message, fix)) = misfit(pattern)
            .map(|message| (message, fix(pattern)))
            .or_else(|| odd_address(pattern))
            .map(|(message, fix)| (message, fix.to_owned()))
            // A handler of the image may compare something else.
            .or_else(|| {
                let is_ours =
                    flower.option("auth_provider").text().is_none_or(|(it, _)| it.starts_with(MODULE));
                no_address(pattern, false).filter(|_| is_ours)
            })
    {
        report.add_hidden(report.severity(), place.path(), message, fix);
    }
}

fn f16(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let message = "without a provider every page is a 404";
    if let Some((oauth, path)) = typed(&flower) {
        if oauth.provider.written().is_empty() {
            let fix = format!("use one of {}", OAuthProvider::supported());
            report.add(Kind::Required, format!("{path}.provider"), message, fix);
        }
        return;
    }
    // Flower 1.x takes Google when nobody says anything.
    let has_default = flower.version().is_some_and(|version| version < (2, 0));
    if let Some((_, place)) = untyped(&flower).filter(|_| !has_default)
        && flower.option("auth_provider").is_absent()
    {
        let fix = "set auth.oauth instead, or --auth_provider too";
        report.add(Kind::Required, place.path(), message, fix);
    }
}

fn f17(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    if let Some((oauth, path)) = typed(&flower) {
        if !oauth.provider.written().is_empty() {
            let message = "is not a provider that Flower knows";
            report.unsupported(&oauth.provider, format!("{path}.provider"), message);
        }
        return;
    }
    let provider = flower.option("auth_provider");
    let Some((class, place)) = provider.text() else { return };
    let (module, name) = class.rsplit_once(['.', ':']).unwrap_or(("", class));
    // A class of another module comes with the image.
    if module.is_empty() || (module == MODULE && !HANDLERS.contains(&name)) {
        let message = "names no login handler of Flower";
        let fix = format!("use {MODULE}. with one of {}", HANDLERS.join(", "));
        place.blame(report.severity(), message, fix, report);
    }
}

fn f18(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let absent = |name: &str| flower.option(name).is_absent();
    let no_okta = || flower.variable("FLOWER_OAUTH2_OKTA_BASE_URL").is_absent();
    let okta = "set env FLOWER_OAUTH2_OKTA_BASE_URL";
    if let Some((oauth, path)) = typed(&flower) {
        for (field, option, is_missing) in [
            ("keySecretRef", "oauth2_key", oauth.key_secret_ref.is_none()),
            ("secretSecretRef", "oauth2_secret", oauth.secret_secret_ref.is_none()),
            ("redirectUri", "oauth2_redirect_uri", oauth.redirect_uri.is_none()),
        ] {
            if is_missing && absent(option) {
                let message = "without it the provider refuses every login";
                report.add(Kind::Required, format!("{path}.{field}"), message, format!("set {field}"));
            }
        }
        if oauth.provider.known() == Some(OAuthProvider::Okta) && no_okta() {
            report.add(
                Kind::Required,
                format!("{path}.provider"),
                "okta needs the address of its server",
                okta,
            );
        }
        redirect(&flower, oauth, &path, report);
        return;
    }
    let provider = flower.option("auth_provider");
    let (Some((_, place)), Some((class, _))) = (untyped(&flower), provider.text()) else { return };
    if !class.starts_with(MODULE) {
        return;
    }
    let options = ["oauth2_key", "oauth2_secret", "oauth2_redirect_uri"];
    let missing: Vec<&str> = options.into_iter().filter(|name| absent(name)).collect();
    if !missing.is_empty() {
        let message = format!("without {} the provider refuses every login", missing.join(", "));
        report.add(Kind::Required, place.path(), message, "set auth.oauth instead");
    } else if class.ends_with("OktaLoginHandler") && no_okta() {
        report.add(Kind::Required, place.path(), "okta needs the address of its server", okta);
    }
}

/// The address to which a provider sends people back is Flower's own login page.
fn redirect(flower: &Flower<'_>, oauth: &OAuth, path: &str, report: &mut Report<'_>) {
    let Some(uri) = oauth.redirect_uri.as_deref().filter(|uri| !expands(uri)) else { return };
    let path = format!("{path}.redirectUri");
    let host = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"));
    if !host.is_some_and(|host| host.starts_with(|first: char| first.is_alphanumeric() || first == '[')) {
        let message = "is not the address of a page";
        return report.add(Kind::Invalid, path, message, "use one such as https://flower.example.com/login");
    }
    let Some(prefix) = flower.url_prefix() else { return };
    let login = if prefix.is_empty() { "/login".to_owned() } else { format!("/{prefix}/login") };
    if !uri.trim_end_matches('/').ends_with(&login) {
        let fix = format!("end it with {login}");
        report.graded(Severity::Warn, Kind::Invalid, path, "is not Flower's login page", fix);
    }
}

fn f19(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    if !flower.option("cookie_secret").is_absent() {
        return;
    }
    let message = "a restart logs everybody out";
    if let Some((oauth, path)) = typed(&flower) {
        if oauth.cookie_secret_ref.is_none() {
            report.add(Kind::Required, format!("{path}.cookieSecretRef"), message, "set cookieSecretRef");
        }
    } else if let Some((_, place)) = untyped(&flower) {
        // Without a provider there is nobody to log out: F16 tells.
        if !flower.option("auth_provider").is_absent() {
            report.add(Kind::Required, place.path(), message, "set FLOWER_COOKIE_SECRET from a Secret");
        }
    }
}
