//! Finding oneDNN.

use std::path::PathBuf;

const LIBRARY: &str = "libdnnl.so.3";
const FOLDER: &str = "native/linux-x86_64";

/// Loads oneDNN and says which one it is; warns and says so if there is none.
pub fn load() -> String {
    let Some(path) = find() else {
        eprintln!(
            "firesteel: warning: no {LIBRARY} was found, plain kernels run. Set FIRESTEEL_ONEDNN to \
             its path."
        );
        return "plain kernels".into();
    };
    match onednn::load(&path) {
        Ok(version) => format!("oneDNN {version} {}", onednn::effective_isa()),
        Err(error) => {
            eprintln!("firesteel: warning: plain kernels run: {error}");
            "plain kernels".into()
        }
    }
}

/// The path in the environment, else the library near this program.
fn find() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("FIRESTEEL_ONEDNN") {
        return Some(path.into());
    }
    let program = std::env::current_exe().ok()?;
    program
        .ancestors()
        .skip(1)
        .flat_map(|folder| [folder.join(LIBRARY), folder.join(FOLDER).join(LIBRARY)])
        .find(|path| path.is_file())
}
