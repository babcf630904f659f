// SPDX-License-Identifier: Apache-2.0
//! Texts that somebody meant to have filled in, in a form that nobody fills in: Kubernetes knows `$(NAME)` alone.

/// A piece of a text that stands for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placeholder<'t> {
    /// What is between its signs.
    name: &'t str,
    /// Whether it is the whole text.
    pub(super) is_whole: bool,
    /// Whether no brackets show where it ends: then the text may mean itself.
    pub(super) is_bare: bool,
}

impl Placeholder<'_> {
    /// What to write instead.
    pub(super) fn instead(&self) -> String {
        if is_variable(self.name) {
            format!("write $({0}), with {0} among spec.common.env", self.name)
        } else {
            "write what it stands for".to_owned()
        }
    }
}

/// What placeholders begin with.
const SIGNS: [char; 4] = ['$', '%', '<', '{'];

/// The first placeholder in a text: `${NAME}`, `$NAME`, `{{ .name }}`, `%NAME%`, `<name>`.
#[must_use]
pub(super) fn placeholder(text: &str) -> Option<Placeholder<'_>> {
    text.match_indices(SIGNS).find_map(|(at, _)| {
        let rest = &text[at..];
        let between = |begin: &str, end: &str| rest.strip_prefix(begin)?.split_once(end);
        let found = |name, after: &str, is_bare| {
            Some(Placeholder { name, is_whole: at == 0 && after.is_empty(), is_bare })
        };
        if let Some((inside, after)) = between("{{", "}}") {
            found(inside.trim(), after, false)
        } else if let Some((inside, after)) = between("${", "}") {
            // Behind the name a shell may say what to take where nothing is.
            found(inside.split(':').next().unwrap_or_default(), after, false)
        } else if let Some((inside, after)) = between("<", ">").filter(|(inside, _)| is_word(inside)) {
            // What stands there is no name of a variable.
            found(if is_upper(inside) { inside } else { "" }, after, false)
        } else if let Some((inside, after)) = between("%", "%").filter(|(inside, _)| is_upper(inside)) {
            found(inside, after, false)
        } else {
            let name = rest.strip_prefix('$')?;
            let end = name.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let (name, after) = name.split_at(end.unwrap_or(name.len()));
            if is_variable(name) { found(name, after, true) } else { None }
        }
    })
}

/// The first part of a URL that is to be filled in, and what stands there. A name or a password may hold the signs of one,
/// but is hardly one as a whole.
#[must_use]
pub(super) fn unfilled(url: &str) -> Option<(&'static str, Placeholder<'_>)> {
    // Many rules ask, and hardly a URL has one.
    if !url.contains(SIGNS) {
        return None;
    }
    url.split(';').find_map(|element| {
        let (_, rest) = element.split_once("://")?;
        // In the name of a value of a template the URL does not end.
        let is_end = |at: &usize| {
            !rest[..*at].ends_with('<')
                && rest[..*at].matches("{{").count() == rest[..*at].matches("}}").count()
        };
        let end = rest.match_indices(['/', '?', '#']).map(|(at, _)| at).find(is_end).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (user_info, location) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        let (host, port) = host_and_port(location);
        let path = tail.strip_prefix('/').unwrap_or_default().split(['?', '#']).next().unwrap_or_default();
        let whole = |part, text| {
            let found = placeholder(text).filter(|found| found.is_whole)?;
            // What a password without brackets is, another rule wonders.
            (part != "password" || !found.is_bare).then_some((part, found))
        };
        let any = |part, text| Some((part, placeholder(text)?));
        any("host", host)
            .or_else(|| any("port", port))
            .or_else(|| whole("user", user))
            .or_else(|| whole("password", password))
            .or_else(|| whole("path", path))
    })
}

/// A colon within the brackets of a placeholder is none before a port.
fn host_and_port(location: &str) -> (&str, &str) {
    let is_outside = |at: &usize| {
        let before = &location[..*at];
        before.matches('{').count() == before.matches('}').count()
    };
    let colon = location.match_indices(':').map(|(at, _)| at).find(is_outside);
    colon.map_or((location, ""), |at| (&location[..at], &location[at + 1..]))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_ .".contains(letter))
}

fn is_upper(text: &str) -> bool {
    text.len() > 2 && is_variable(text) && !text.contains(|letter: char| letter.is_ascii_lowercase())
}

fn is_variable(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_found_with_its_name() {
        for (text, name, is_whole, is_bare) in [
            ("${HOST}", "HOST", true, false),
            ("${HOST:-cache}", "HOST", true, false),
            ("a-$HOST.b", "HOST", false, true),
            ("$HOST", "HOST", true, true),
            ("{{HOST}}", "HOST", true, false),
            ("{{ .Values.host }}", ".Values.host", true, false),
            ("%REDIS_HOST%", "REDIS_HOST", true, false),
            ("<host>", "", true, false),
            ("<YOUR_HOST>", "YOUR_HOST", true, false),
            ("$${HOST}", "HOST", false, false),
        ] {
            assert_eq!(placeholder(text), Some(Placeholder { name, is_whole, is_bare }), "{text}");
        }
        for text in ["", "cache", "$(HOST)", "cost$", "a$1", "50%25", "%2F%2F", "a<b", "fe80::1%eth0"] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }

    #[test]
    fn each_part_of_a_url_is_looked_at() {
        for (url, part) in [
            ("redis://${REDIS_HOST}:6379/0", Some("host")),
            ("redis://$REDIS_HOST:6379", Some("host")),
            ("amqp://a@${H:-mq}:5672//", Some("host")),
            ("redis://<host>:6379/0", Some("host")),
            ("redis://{{REDIS_HOST}}:6379/0", Some("host")),
            ("redis://{{ .Values.redis/host }}:6379/0", Some("host")),
            ("redis://%REDIS_HOST%:6379/0", Some("host")),
            ("redis://cache:${REDIS_PORT}/0", Some("port")),
            ("amqp://${USER}:$(PW)@rabbit//", Some("user")),
            ("amqp://a:${PW}@rabbit//", Some("password")),
            ("amqp://a@rabbit/${VHOST}", Some("path")),
            ("amqp://a@rabbit/$VHOST", Some("path")),
            ("amqp://a@one//;amqp://a@${TWO}//", Some("host")),
            ("amqp://a:p${x}q@rabbit//", None),
            ("redis://:$ecret@cache/0", None),
            ("redis://:$ECRET@cache/0", None),
            ("redis://$(HOST):$(PORT)/$(DB)", None),
            ("redis://[fe80::1%25eth0]:6379/0", None),
            ("${BROKER_URL}", None),
            ("sqs://", None),
        ] {
            assert_eq!(unfilled(url).map(|(part, _)| part), part, "{url}");
        }
    }

    #[test]
    fn a_name_is_written_as_kubernetes_reads_it() {
        let instead = |text| placeholder(text).map(|found| found.instead());
        let variable = Some("write $(HOST), with HOST among spec.common.env".to_owned());
        assert_eq!(instead("${HOST}"), variable);
        assert_eq!(instead("<host>").as_deref(), Some("write what it stands for"));
        assert_eq!(instead("{{ .Values.host }}").as_deref(), Some("write what it stands for"));
    }
}
