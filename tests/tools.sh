#!/usr/bin/env bash
# Names each tool that is missing or too old, with the way to install it.
set -u
missing=0
need() { # what, remedy
  printf 'firesteel needs %s. %s\n' "$1" "$2" >&2
  missing=1
}

java=$(javac -version 2>&1 | sed -nE 's/^javac ([0-9]+).*/\1/p')
[ "${java:-0}" -ge 17 ] ||
  need 'a JDK, version 17 or later (javac)' 'Debian, Ubuntu: apt-get install openjdk-17-jdk-headless. macOS: brew install openjdk@17.'
command -v mvn >/dev/null ||
  need 'Maven 3.8 or later (mvn)' 'Debian, Ubuntu: apt-get install maven. macOS: brew install maven.'
command -v cargo >/dev/null ||
  need 'Rust (cargo)' 'Install rustup from https://rustup.rs; it fetches the pinned toolchain by itself.'
python=${PYTHON:-python3}
"$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
  need 'Python 3.10 or later with venv' 'Debian, Ubuntu: apt-get install python3 python3-venv.'
[ "$(uname -sm)" = 'Linux x86_64' ] ||
  need 'Linux on x86-64' 'Other platforms have no native library yet; use a Linux machine or container.'
exit $missing
