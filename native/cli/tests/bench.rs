//! The command line of `firesteel`, and the line that `bench` prints.

use std::process::{Command, Output};

fn firesteel(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn command(args: &[&str]) -> Command {
    let built =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/native/linux-x86_64/libdnnl.so.3");
    let onednn = std::env::var_os("FIRESTEEL_ONEDNN").unwrap_or_else(|| built.into());
    let mut command = Command::new(env!("CARGO_BIN_EXE_firesteel"));
    command.args(args).env("FIRESTEEL_ONEDNN", onednn);
    command
}

#[test]
fn bench_prints_one_line_with_the_keys_of_the_peers() {
    for (mode, batch) in [("train", 5), ("infer", 41)] {
        let size = batch.to_string();
        let output = firesteel(&["bench", "lenet5", mode, "--batch", &size, "--secs", "0"]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.lines().count() == 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = [
            "batch",
            "case",
            "dtype",
            "framework",
            "items_per_s_median",
            "iters",
            "mode",
            "ms_max",
            "ms_median",
            "ms_min",
            "other_cpu",
            "rss_mb",
            "threads",
            "variant",
            "version",
        ];
        let mut keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, expected);
        assert_eq!((&line["mode"], &line["batch"]), (&mode.into(), &batch.into()));
        assert!(line["ms_min"].as_f64() <= line["ms_median"].as_f64());
        assert!(line["items_per_s_median"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn wrong_command_lines_are_named_with_exit_code_2() {
    for (args, message) in [
        (&[][..], "expected a command, such as run or bench, got none"),
        (&["bake"], "unexpected argument \"bake\""),
        (&["bench", "lenet5"], "bench: expected CASE and train or infer, got \"lenet5\""),
        (&["bench", "vgg", "train"], "bench: unknown case vgg. Known cases: lenet5, resnet50, "),
        (&["bench", "lenet5", "fly"], "bench: expected train or infer, got fly"),
        (&["bench", "lenet5", "train", "--threads", "0"], "--threads: expected a number from 1 to"),
        (&["bench", "lenet5", "train", "--dtype", "f8"], "--dtype: expected f32 or bf16, got f8"),
        (&["define", "vgg"], "define: unknown case vgg. Known cases: lenet5, resnet50, "),
        (&["golden"], "golden: expected FILE, got nothing"),
        (&["golden", "f", "--tolerance", "x"], "--tolerance: expected a number from 0 to 1, got x"),
    ] {
        let output = firesteel(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.starts_with(&format!("firesteel: {message}")), "{text}");
    }
}

#[test]
fn bf16_is_timed_where_there_are_instructions_for_it_and_refused_elsewhere() {
    let bf16 = |isa: &str, mode: &str| {
        let args = ["bench", "lenet5", mode, "--batch", "4", "--secs", "0", "--dtype", "bf16"];
        command(&args).env("ONEDNN_MAX_CPU_ISA", isa).output().unwrap()
    };
    for mode in ["train", "infer"] {
        let output = bf16("AVX2", mode);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        let expected =
            "precision: expected a CPU with AVX-512 BF16 or AMX and oneDNN for bf16, got ";
        assert!(text.contains(expected) && text.contains("Use f32 on this machine"), "{text}");

        let output = bf16("DEFAULT", mode);
        if output.status.success() {
            let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(line["dtype"], "bf16");
        } else {
            let text = String::from_utf8(output.stderr).unwrap();
            assert!(text.contains(expected), "{text}");
        }
    }
}

#[test]
fn a_definition_that_is_printed_is_one_that_models_are_made_of() {
    let output = firesteel(&["define", "resnet50"]);
    let model = layers::Model::from_json(&String::from_utf8(output.stdout).unwrap()).unwrap();
    assert_eq!(model.parameters().iter().map(|p| p.shape.len()).sum::<usize>(), 25_610_152);
}

#[test]
fn help_and_version_are_printed() {
    let help = String::from_utf8(firesteel(&["--help"]).stdout).unwrap();
    assert!(help.starts_with("firesteel: runs and times models"), "{help}");
    let version = String::from_utf8(firesteel(&["--version"]).stdout).unwrap();
    assert_eq!(version, format!("firesteel {}\n", env!("CARGO_PKG_VERSION")));
}
