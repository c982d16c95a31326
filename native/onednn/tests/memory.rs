//! Nothing is leaked: one test in a process of its own, so that nobody else allocates.

use onednn::ops::convolution::{Config, forward};
use onednn::{Attr, Bound, DataType, MemoryDesc, Primitive, PropKind, arg};
use std::path::PathBuf;
use std::sync::Arc;
use tensor::{Buffer, SharedSlice};

/// Resident memory of this process in bytes.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn describe_compile_bind_and_run() {
    let md = |dims: &[usize]| MemoryDesc::any(dims, DataType::F32).unwrap();
    let (src, weights, dst) = (md(&[1, 16, 8, 8]), md(&[16, 16, 3, 3]), md(&[1, 16, 6, 6]));
    let (attr, prop) = (Attr::new().sum(1.0), PropKind::ForwardTraining);
    let desc = forward(prop, &src, &weights, None, &dst, &Config::new(2), &attr).unwrap();
    let mds = [
        (arg::SRC, desc.src_md(0)),
        (arg::WEIGHTS, desc.weights_md(0)),
        (arg::DST, desc.dst_md(0)),
        (arg::SCRATCHPAD, desc.scratchpad_md()),
    ];
    let args: Vec<_> = mds.iter().map(|(arg, md)| (*arg, md)).collect();
    let mut bound = Bound::new(&Primitive::new(&desc).unwrap(), &args).unwrap();
    for (index, (_, md)) in mds.iter().enumerate() {
        let buffer = Arc::new(Buffer::new(md.bytes()).unwrap());
        bound.set(index, &SharedSlice::new(&buffer, 0, md.bytes()).unwrap()).unwrap();
    }
    bound.execute().unwrap();
}

#[test]
fn memory_returns_to_where_it_was_after_a_thousand_cycles() {
    let path = std::env::var_os("FIRESTEEL_ONEDNN").map_or_else(
        || {
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("../../target/native/linux-x86_64/libdnnl.so.3")
        },
        PathBuf::from,
    );
    if !path.exists() {
        let required = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!required, "{} is missing. Run make native", path.display());
        println!("skipped: {} is missing. Run make native", path.display());
        return;
    }
    onednn::load(&path).unwrap();
    (0..500).for_each(|_| describe_compile_bind_and_run());
    let before = resident_bytes();
    (0..1000).for_each(|_| describe_compile_bind_and_run());
    let grown = resident_bytes().saturating_sub(before);
    // A leak of one descriptor per cycle would be over 1 MB.
    assert!(grown < 256 << 10, "grown by {grown} bytes");
    assert_eq!(Buffer::allocated(), 0);
}
