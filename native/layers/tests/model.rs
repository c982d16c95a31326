//! Parameters of a model and its graph.

use layers::{
    Activation, ActivationFunction, Add, AveragePooling2D, BatchNormalization, Concatenate, Conv2D,
    Definition, Dense, Dropout, Embedding, Flatten, GlobalAveragePooling2D, LRN2D, LSTM,
    LayerNormalization, MaxPooling2D, Model, MultiHeadAttention, Multiply, Padding,
    PositionEmbedding, ReLU, Reshape, Select, Softmax,
};
use nn::{Mode, ParameterKind};

/// A model in which every class of layers occurs.
fn every_class() -> Model {
    let conv = |padding| Conv2D { padding, groups: 2, ..Conv2D::new(4, [3, 3]) };
    let frozen = BatchNormalization { scale: false, ..BatchNormalization::new() };
    let definition = Definition::new("all")
        .input("x", &[2, 9, 7])
        .layer("conv", conv(Padding::Same), &["x"])
        .layer("bn", frozen, &["conv"])
        .layer("relu", ReLU::new(), &["bn"])
        .layer("lrn", LRN2D::new(), &["relu"])
        .layer("again", conv(Padding::all(1)), &["lrn"])
        .layer("add", Add::new(), &["relu", "again"])
        .layer("mul", Multiply::new(), &["add", "relu"])
        .layer("cat", Concatenate::new(), &["mul", "add"])
        .layer("max", MaxPooling2D { padding: Padding::Same, ..MaxPooling2D::new() }, &["cat"])
        .layer(
            "avg",
            AveragePooling2D { strides: Some([1, 1]), ..AveragePooling2D::new() },
            &["max"],
        )
        .layer("drop", Dropout::new(0.5), &["avg"])
        .layer("rows", Dense { use_bias: false, ..Dense::new(5) }, &["drop"])
        .layer("act", Activation::new(ActivationFunction::Sigmoid), &["rows"])
        .layer("mean", GlobalAveragePooling2D::new(), &["act"])
        .layer("shape", Reshape::new(vec![2, -1]), &["mean"])
        .layer("flat", Flatten::new(), &["shape"])
        .layer("emb", Embedding::new(10, 4), &["flat"])
        .layer("pos", PositionEmbedding::new(), &["emb"])
        .layer("ln", LayerNormalization::new(), &["pos"])
        .layer("mha", MultiHeadAttention::new(2), &["ln"])
        .layer("lstm", LSTM { return_sequences: true, ..LSTM::new(3) }, &["mha"])
        .layer("last", Select::new(1, -1), &["lstm"])
        .layer("dense", Dense::new(3), &["last"])
        .layer("prob", Softmax::new(), &["dense"])
        .output("prob");
    Model::new(definition).unwrap()
}

#[test]
fn every_class_of_the_catalogue_builds_a_graph_of_the_inferred_shape() {
    let model = every_class();
    let used: Vec<&str> = model.summary().iter().map(|layer| layer.class).collect();
    for entry in layers::catalogue::catalogue() {
        assert!(used.contains(&entry.class), "{} is not in the model of this test", entry.class);
    }
    for (batch, mode) in [(1, Mode::Training), (5, Mode::Training), (3, Mode::Inference)] {
        let graph = model.graph(batch, mode).unwrap();
        let (name, output) = graph.outputs().next().unwrap();
        assert_eq!((name, graph.shape(output).dims()), ("prob", &[batch, 3][..]));
        let (name, input) = graph.inputs().next().unwrap();
        assert_eq!((name, graph.shape(input).dims()), ("x", &[batch, 2, 9, 7][..]));
    }
}

#[test]
fn each_layer_has_the_inferred_shape_in_the_graph() {
    let whole = every_class();
    for (index, layer) in whole.summary().iter().enumerate() {
        let mut definition = whole.definition().clone();
        definition.layers.truncate(index + 1);
        definition.outputs = vec![layer.name.clone()];
        let graph = Model::new(definition).unwrap().graph(2, Mode::Inference).unwrap();
        let (_, output) = graph.outputs().next().unwrap();
        assert_eq!(graph.shape(output).dims()[1..], *layer.output_shape.dims(), "{}", layer.name);
    }
}

#[test]
fn parameters_are_named_by_layer_in_the_order_of_the_definition() {
    let model = every_class();
    let table: Vec<(&str, &[usize], ParameterKind)> = model
        .parameters()
        .iter()
        .map(|parameter| (parameter.name.as_str(), parameter.shape.dims(), parameter.kind))
        .collect();
    let (trainable, frozen, statistic) =
        (ParameterKind::Trainable, ParameterKind::Frozen, ParameterKind::Statistic);
    assert_eq!(
        table,
        [
            ("conv.weight", &[4, 1, 3, 3][..], trainable),
            ("conv.bias", &[4], trainable),
            ("bn.weight", &[4], frozen),
            ("bn.bias", &[4], trainable),
            ("bn.running_mean", &[4], statistic),
            ("bn.running_var", &[4], statistic),
            ("again.weight", &[4, 2, 3, 3], trainable),
            ("again.bias", &[4], trainable),
            ("rows.weight", &[5, 3], trainable),
            ("emb.weight", &[10, 4], trainable),
            ("pos.weight", &[8, 4], trainable),
            ("ln.weight", &[4], trainable),
            ("ln.bias", &[4], trainable),
            ("mha.qkv.weight", &[12, 4], trainable),
            ("mha.qkv.bias", &[12], trainable),
            ("mha.proj.weight", &[4, 4], trainable),
            ("mha.proj.bias", &[4], trainable),
            ("lstm.weight_ih_l0", &[12, 4], trainable),
            ("lstm.weight_hh_l0", &[12, 3], trainable),
            ("lstm.bias_ih_l0", &[12], trainable),
            ("lstm.bias_hh_l0", &[12], trainable),
            ("dense.weight", &[3, 3], trainable),
            ("dense.bias", &[3], trainable),
        ]
    );
}

#[test]
fn initial_weights_have_the_bounds_of_their_initializer() {
    let definition = Definition::new("m")
        .input("x", &[3, 8, 8])
        .layer("c", Conv2D::new(5, [3, 3]), &["x"])
        .output("c");
    let model = Model::new(definition).unwrap();
    let weights = model.initial_weights(7);
    // Glorot: fan_in 3 · 3 · 3, fan_out 5 · 3 · 3.
    let bound = (6.0f32 / 72.0).sqrt();
    let (kernel, bias) = weights.split_at(135);
    assert!(kernel.iter().all(|weight| weight.abs() <= bound));
    assert!(kernel.iter().any(|weight| weight.abs() > bound * 0.9));
    assert_eq!(bias, [0.0; 5]);
    assert_eq!(weights, model.initial_weights(7));
    assert_ne!(weights, model.initial_weights(8));
}

#[test]
fn the_summary_is_a_table_with_the_sum_of_the_weights() {
    let definition = Definition::new("m")
        .input("x", &[4])
        .layer("hidden", Dense::new(3), &["x"])
        .layer("relu", ReLU::new(), &["hidden"])
        .output("relu");
    let model = Model::new(definition).unwrap();
    let table: Vec<Vec<String>> = model
        .to_string()
        .lines()
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect();
    assert_eq!(
        table,
        [
            vec!["layer", "class", "output", "shape", "weights"],
            vec!["hidden", "Dense", "[3]", "15"],
            vec!["relu", "ReLU", "[3]", "0"],
            vec!["sum", "15"],
        ]
    );
}
