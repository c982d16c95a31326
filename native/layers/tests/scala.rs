//! The generated Scala classes.

use layers::scala;

#[test]
fn the_checked_in_scala_classes_are_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../").to_owned() + scala::PATH;
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(
        found == scala::layers(),
        "{} is not what the layers of native/layers give. Run `cargo run -p layers --bin generate`.",
        scala::PATH
    );
}

#[test]
fn arguments_become_camel_case_with_their_defaults() {
    let text = scala::layers();
    let class = "final case class Conv2D(\n    filters: Int,\n    kernelSize: (Int, Int),\n    \
                 strides: (Int, Int) = (1, 1),\n    padding: Padding = Padding.Valid,\n    \
                 dilationRate: (Int, Int) = (1, 1),\n    groups: Int = 1,\n    \
                 activation: String = \"linear\",\n    useBias: Boolean = true,\n    \
                 kernelInitializer: Initializer = Initializer.GlorotUniform,\n    \
                 biasInitializer: Initializer = Initializer.Zeros,\n    name: String = \"\"\n\
                 ) extends Layer {";
    assert!(text.contains(class), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100));
}
