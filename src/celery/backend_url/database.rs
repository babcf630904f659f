// SPDX-License-Identifier: Apache-2.0
//! Result backends in a database: `SQLAlchemy` reads the URL, and kombu reads it again to show it when a worker starts.

use super::scheme::dialect;
use super::{Backend, Defect, Location, named, unread};
use crate::celery::broker_url::is_driver;
use crate::celery::number;
use crate::celery::url::{self, Fault};

/// What stands behind `db+…://`.
pub(super) fn database(name: &str, driver: Option<&str>, rest: &str) -> Result<Backend, Defect> {
    let driver = driver.filter(|driver| is_driver(driver)).ok_or(Defect::NoDialect)?;
    let written = driver.split('+').next().unwrap_or_default();
    if let Some(meant) = dialect(written) {
        return Err(Defect::Dialect { written: written.to_owned(), meant });
    }
    named(name, "", Some(driver), vec![location(rest)?])
}

fn location(rest: &str) -> Result<Location, Fault> {
    let (host, port) = host_and_port(rest);
    // The user information ends at the first "@" behind a password.
    if host.contains('@') || port.is_some_and(|port| port.contains('@')) {
        return Err(Fault::Unencoded('@'));
    }
    let number = port.map(number::int);
    if number == Some(None) {
        return Err(url::parts(rest).err().unwrap_or(Fault::Port));
    }
    match url::parts(rest) {
        // Drivers take 0 for their usual port.
        Err(Fault::Port) if number == Some(Some(0)) => {}
        Err(fault) => return Err(fault),
        Ok(_) => {}
    }
    Ok(unread(rest))
}

/// Host and port as `SQLAlchemy` finds them: it reads on through a `/`, `?` or `#` in a password.
fn host_and_port(rest: &str) -> (&str, Option<&str>) {
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (user, behind) = rest.split_at(end);
    let password = behind.strip_prefix(':').and_then(|password| password.split_once('@'));
    let location = match password {
        Some((_, location)) => location,
        None => user.rfind('@').map_or(rest, |at| &rest[at + 1..]),
    };
    let location = &location[..location.find(['/', '?']).unwrap_or(location.len())];
    let from = if location.starts_with('[') { location.rfind(']').unwrap_or_default() } else { 0 };
    match location[from..].find(':') {
        Some(colon) => (&location[..from + colon], Some(&location[from + colon + 1..])),
        None => (location, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn ports_are_read_as_sqlalchemy_reads_them() {
        for good in [
            "postgresql://u:p@db:5432/t",
            "postgresql://u:p@db:0/t",
            "postgresql://u:p@[fd00::1]:5432/t",
            "postgresql://me@db:5432/t",
            "postgresql://me@corp:p@db/t",
            "postgresql://db",
            "postgresql://u:p@/t?host=a:1&host=b:2",
            "postgresql://u:p:q@db/t",
            "mssql+pyodbc:///?odbc_connect=Driver%3Dx;a:b@c",
            "sqlite:////tmp/a:b@c.db",
            "sqlite://",
        ] {
            parse(&format!("db+{good}")).expect(good);
        }
        for (bad, fault) in [
            ("postgresql://u:p@db:abc/t", Fault::Port),
            ("postgresql://db:abc", Fault::Port),
            ("postgresql://u:p@db:/t", Fault::Port),
            ("postgresql://u:p@db:99999/t", Fault::Port),
            ("postgresql://u:p@a:1,b:2/t", Fault::Port),
            ("postgresql://u:p@ss@db/t", Fault::Unencoded('@')),
            ("postgresql://u:p@ss:1@db:5432/t", Fault::Unencoded('@')),
            ("postgresql://u:p/ss@db/t", Fault::Unencoded('/')),
            ("postgresql://u:p#ss@db/t", Fault::Unencoded('#')),
            ("postgresql://u:p?ss@db/t", Fault::Unencoded('?')),
        ] {
            assert_eq!(parse(&format!("db+{bad}")).expect_err(bad), Defect::Url(fault), "{bad}");
        }
    }

    #[test]
    fn no_text_makes_it_panic() {
        for text in ["", ":", "@", "[", "]:", "[@]:", "é@:", "a:b@[", "[]]:x", "://@"] {
            let _ = location(text);
        }
    }
}
