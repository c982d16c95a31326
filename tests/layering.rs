//! The layers of the project stay apart: dependencies point downwards, unsafe code stays where it
//! is allowed, every op has its cases, no file grows past what one can read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each crate may use of the others: everything that stands further down.
const LAYERS: [&[&str]; 7] = [
    &["firesteel", "cli", "fuzz"],
    &["train", "import"],
    &["layers"],
    &["nn"],
    &["onednn"],
    &["onednn-sys", "tensor"],
    &["oracle"],
];

/// Where unsafe code may be.
const UNSAFE: [&str; 5] = [
    "native/onednn-sys/",
    "native/onednn/",
    "native/tensor/src/buffer.rs",
    "native/tensor/src/gemm.rs",
    "native/jni/",
];

/// Longest file, in lines.
const LONGEST: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below `folder` that end like this, without build results.
fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        // Not every checkout has every part of the project.
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                open.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty() || !root().join(folder).exists(), "no file found in {folder}");
    found.sort();
    found
}

/// Path below the root, for messages and comparisons.
fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

/// The crates of the workspace by package name, each with the names in its `[dependencies]`.
fn crates() -> BTreeMap<String, Vec<String>> {
    let mut manifests = files("native", &["Cargo.toml"]);
    manifests.push(root().join("Cargo.toml"));
    let mut crates = BTreeMap::new();
    for manifest in manifests {
        let text = fs::read_to_string(&manifest).unwrap();
        let (mut section, mut name, mut dependencies) = ("", String::new(), Vec::new());
        for line in text.lines() {
            if line.starts_with('[') {
                section = line;
            } else if let Some((key, value)) = line.split_once('=') {
                match (section, key.trim()) {
                    ("[package]", "name") => name = value.trim().trim_matches('"').into(),
                    ("[dependencies]", key) => dependencies.push(key.into()),
                    _ => {}
                }
            }
        }
        crates.insert(name, dependencies);
    }
    crates
}

#[test]
fn dependencies_point_downwards() {
    let crates = crates();
    let layer = |name: &str| LAYERS.iter().position(|layer| layer.contains(&name));
    let named: usize = LAYERS.iter().map(|layer| layer.len()).sum();
    assert_eq!(crates.len(), named, "every crate stands in one layer");
    for (name, dependencies) in &crates {
        let own = layer(name).unwrap_or_else(|| panic!("{name} stands in no layer"));
        for dependency in dependencies {
            let Some(other) = layer(dependency) else { continue };
            assert!(own < other, "{name} must not use {dependency}");
            assert_ne!(dependency, "oracle", "{name}: the oracle is for tests only");
        }
    }
}

#[test]
fn unsafe_code_is_where_it_may_be_and_says_why() {
    let sources = ["native", "tests"].iter().flat_map(|folder| files(folder, &[".rs"]));
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let path = relative(&path);
        let allowed = UNSAFE.iter().any(|place| path.starts_with(place));
        for (i, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            let (block, any) = (UnsafeWord::block(code), UnsafeWord::any(code));
            assert!(!any || allowed, "{path}:{}: unsafe code is not allowed here", i + 1);
            let before = &lines[i.saturating_sub(8)..=i];
            let reasoned = before.iter().any(|line| line.contains("SAFETY:"));
            assert!(!block || reasoned, "{path}:{}: a line beginning SAFETY: is missing", i + 1);
        }
    }
}

/// Looks for the keyword in a line of code.
struct UnsafeWord;

impl UnsafeWord {
    /// The keyword, spelled so that this file does not contain it.
    const WORD: &str = concat!("un", "safe");

    /// A use that runs code or promises something.
    fn block(code: &str) -> bool {
        Self::followed_by(code, &[" {", " impl"])
    }

    /// Any use as a keyword; the lint `unsafe_op_in…` and names that contain the word are none.
    fn any(code: &str) -> bool {
        Self::followed_by(code, &[" {", " impl", " fn", " extern", " trait", "("])
    }

    fn followed_by(code: &str, endings: &[&str]) -> bool {
        code.match_indices(Self::WORD).any(|(at, word)| {
            let (before, after) = (&code[..at], &code[at + word.len()..]);
            let starts = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"');
            starts && endings.iter().any(|ending| after.starts_with(ending))
        })
    }
}

#[test]
fn every_op_file_has_a_file_of_cases() {
    let list = fs::read_to_string(root().join("native/nn/src/ops/mod.rs")).unwrap();
    let ops = list.lines().filter_map(|line| line.strip_prefix("pub use "));
    let mut count = 0;
    for file in ops.filter_map(|line| line.split_once("::")).map(|(file, _)| file) {
        let cases = root().join(format!("tests/cases/{file}.rs"));
        assert!(
            cases.exists(),
            "native/nn/src/ops/{file}.rs has no cases. Add {}",
            relative(&cases)
        );
        count += 1;
    }
    assert!(count > 0, "no op found");
}

#[test]
fn no_file_is_too_long() {
    let endings = [".rs", ".scala", ".java", ".py"];
    for path in ["native", "tests", "jvm", "spark-examples", "python"]
        .iter()
        .flat_map(|folder| files(folder, &endings))
    {
        let text = fs::read_to_string(&path).unwrap();
        // What a program writes has no reader who could ask for it to be split.
        if text.starts_with("// Generated by ") {
            continue;
        }
        let (path, lines) = (relative(&path), text.lines().count());
        assert!(lines <= LONGEST, "{path} has {lines} lines, more than {LONGEST}. Split it");
    }
}
