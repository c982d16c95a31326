use crate::support::{library_path, ready};
use onednn::Error;
use std::path::Path;

#[test]
fn a_second_load_returns_the_loaded_version() {
    if !ready() {
        return;
    }
    let version = onednn::loaded().unwrap();
    assert_eq!(onednn::load(Path::new("/no/such/file")), Ok(version));
    assert_eq!(version.major, 3);
    assert_eq!(version.to_string(), format!("3.{}.{}", version.minor, version.patch));
}

#[test]
fn the_instruction_set_has_a_name_and_settings_are_accepted() {
    if !ready() {
        return;
    }
    let isa = onednn::effective_isa();
    assert!(isa.starts_with("avx") || isa.starts_with("sse") || isa == "default", "{isa}");
    onednn::set_cache_capacity(0);
    onednn::set_cache_capacity(1024);
    onednn::enter();
}

#[test]
fn before_loading_everything_says_so_and_a_failed_load_can_be_repeated() {
    // A process of its own: the others load the library.
    if std::env::var_os("FIRESTEEL_TEST_UNLOADED").is_none() {
        let name = "library::before_loading_everything_says_so_and_a_failed_load_can_be_repeated";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact"])
            .env("FIRESTEEL_TEST_UNLOADED", "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    onednn::enter();
    assert_eq!(onednn::loaded(), None);
    assert_eq!(onednn::effective_isa(), "");
    let plain = onednn::MemoryDesc::plain(&[1], onednn::DataType::F32);
    assert_eq!(plain, Err(Error::NotLoaded));

    for path in ["/no/such/libdnnl.so.3", "libdnnl.so.3", "/etc/passwd"] {
        let error = onednn::load(Path::new(path)).unwrap_err();
        assert!(matches!(error, Error::Load { .. }), "{error:?}");
        assert!(error.to_string().contains(path), "{error}");
    }
    let libc = onednn::load(Path::new("/lib/x86_64-linux-gnu/libc.so.6"));
    assert!(matches!(libc, Err(Error::Load { .. })), "{libc:?}");
    if library_path().exists() {
        assert_eq!(onednn::load(&library_path()).unwrap().major, 3);
    }
}
