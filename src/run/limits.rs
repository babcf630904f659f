// SPDX-License-Identifier: Apache-2.0
//! What the system lets the process have.

use rustix::io;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets the process open as many files and connections as the system allows it.
///
/// Container runtimes begin with 1024, for programs that could not count further. Whoever reaches the webhook port could
/// take them all: watches, the Lease and probes need some too, and a kubelet restarts who does not answer it.
pub(super) fn raise_open_files() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_may_be_open_as_the_system_allows() {
        let limit = getrlimit(Resource::Nofile);
        let most = limit.maximum.unwrap_or(u64::MAX);
        let fewer = Rlimit { current: Some(most.min(4096) - 1), ..limit };
        setrlimit(Resource::Nofile, fewer).expect("fewer");
        raise_open_files().expect("as many as allowed");
        assert_eq!(getrlimit(Resource::Nofile).current, limit.maximum);
    }
}
