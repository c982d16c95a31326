//! Writes the files that are generated from the catalogue of layers.

fn main() -> std::io::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../").to_owned() + layers::scala::PATH;
    std::fs::write(path, layers::scala::layers())
}
