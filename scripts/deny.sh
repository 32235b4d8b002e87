#!/bin/bash
# Checks the dependencies against deny.toml: licences, sources, bans, and known vulnerabilities.
#
# The list of vulnerabilities comes over the network. Without one the rest is checked all the same, and it is
# said that this part was not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PWD/target/tools/bin:$PATH

cargo deny --locked check --hide-inclusion-graph licenses sources bans
if timeout 120 cargo deny --locked fetch db >/dev/null 2>&1; then
    cargo deny --locked check --disable-fetch advisories
else
    echo "deny.sh: the list of known vulnerabilities could not be fetched: advisories NOT checked" >&2
fi
