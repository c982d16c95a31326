//! What a definition may say, and how each mistake is answered.

use layers::{Definition, Error, Model};
use serde_json::{Value, json};

/// A model with an image input `x` of shape [2, 3, 3] and these layers; the last is the output.
fn model(layers: Value) -> Result<Model, Error> {
    let output = layers.as_array().and_then(|all| all.last()).map(|last| last["name"].clone());
    let definition = json!({
        "format": 1,
        "name": "m",
        "inputs": [{ "name": "x", "shape": [2, 3, 3] }],
        "layers": layers,
        "outputs": [output],
    });
    Model::from_json(&definition.to_string())
}

fn layer(class: &str, config: Value) -> Value {
    json!({ "class": class, "name": "a", "config": config, "inputs": ["x"] })
}

/// Message that a model of one layer is refused with.
fn refusal(class: &str, config: Value) -> String {
    model(json!([layer(class, config)])).unwrap_err().to_string()
}

fn shape(class: &str, config: Value) -> Vec<usize> {
    model(json!([layer(class, config)])).unwrap().output_shape().dims().to_vec()
}

#[test]
fn defaults_are_those_of_keras() {
    let text = Model::new(
        Definition::new("m")
            .input("x", &[2, 3, 3])
            .layer("a", layers::BatchNormalization::new(), &["x"])
            .layer("b", layers::Conv2D::new(4, [2, 2]), &["a"])
            .layer("c", layers::MaxPooling2D::new(), &["b"])
            .output("c"),
    )
    .unwrap()
    .to_json();
    let definition: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        definition["layers"][0]["config"],
        json!({
            "momentum": 0.99, "epsilon": 0.001, "center": true, "scale": true,
            "beta_initializer": "zeros", "gamma_initializer": "ones",
            "moving_mean_initializer": "zeros", "moving_variance_initializer": "ones",
        })
    );
    assert_eq!(
        definition["layers"][1]["config"],
        json!({
            "filters": 4, "kernel_size": [2, 2], "strides": [1, 1], "padding": "valid",
            "dilation_rate": [1, 1], "groups": 1, "activation": "linear", "use_bias": true,
            "kernel_initializer": "glorot_uniform", "bias_initializer": "zeros",
        })
    );
    assert_eq!(
        definition["layers"][2]["config"],
        json!({ "pool_size": [2, 2], "strides": null, "padding": "valid" })
    );
}

#[test]
fn results_have_the_documented_shapes() {
    for (class, config, dst) in [
        ("Conv2D", json!({ "filters": 4, "kernel_size": 3 }), vec![4, 1, 1]),
        ("Conv2D", json!({ "filters": 4, "kernel_size": [2, 3] }), vec![4, 2, 1]),
        ("Conv2D", json!({ "filters": 4, "kernel_size": 5, "padding": "same" }), vec![4, 3, 3]),
        ("Conv2D", json!({ "filters": 4, "kernel_size": 2, "dilation_rate": 2 }), vec![4, 1, 1]),
        (
            "Conv2D",
            json!({ "filters": 4, "kernel_size": 3, "strides": 2, "padding": [1, 0, 2, 4] }),
            vec![4, 2, 3],
        ),
        ("MaxPooling2D", json!({}), vec![2, 1, 1]),
        ("MaxPooling2D", json!({ "padding": "same" }), vec![2, 2, 2]),
        ("AveragePooling2D", json!({ "strides": 1 }), vec![2, 2, 2]),
        ("GlobalAveragePooling2D", json!({}), vec![2]),
        ("GlobalAveragePooling2D", json!({ "keepdims": true }), vec![2, 1, 1]),
        ("Flatten", json!({}), vec![18]),
        ("Reshape", json!({ "target_shape": [9, -1] }), vec![9, 2]),
        ("Dense", json!({ "units": 7 }), vec![2, 3, 7]),
        ("BatchNormalization", json!({}), vec![2, 3, 3]),
        ("Dropout", json!({ "rate": 0.5 }), vec![2, 3, 3]),
        ("Softmax", json!({ "axis": 1 }), vec![2, 3, 3]),
    ] {
        assert_eq!(shape(class, config.clone()), dst, "{class} {config}");
    }
}

#[test]
fn joining_layers_take_several_inputs() {
    let join = |class: &str| {
        let join = json!({ "class": class, "name": "j", "inputs": ["x", "a", "x"] });
        model(json!([layer("ReLU", json!({})), join])).unwrap().output_shape().dims().to_vec()
    };
    assert_eq!(join("Add"), [2, 3, 3]);
    assert_eq!(join("Multiply"), [2, 3, 3]);
    assert_eq!(join("Concatenate"), [6, 3, 3]);
}

#[test]
fn a_window_that_does_not_fit_is_named_with_the_remedy() {
    assert_eq!(
        refusal("Conv2D", json!({ "filters": 4, "kernel_size": 5 })),
        "Conv2D \"a\": kernel 5×5 does not fit input 3×3 with padding 0, 0, 0, 0 \
         (src [2, 3, 3]). Use padding = same or a smaller kernel."
    );
}

#[test]
fn an_unknown_class_lists_the_known_ones() {
    let message = refusal("Conv3D", json!({}));
    assert!(
        message.starts_with("layer \"a\": unknown class Conv3D. Known classes: Activation, Add,")
    );
}

#[test]
fn unknown_missing_and_wrong_arguments_are_named() {
    assert_eq!(
        refusal("Dense", json!({ "unit": 3 })),
        "Dense \"a\": unknown argument unit. Known arguments: units, activation, use_bias, \
         kernel_initializer, bias_initializer."
    );
    assert_eq!(
        refusal("Dense", json!({})),
        "Dense \"a\": argument units is missing. Give a whole number from 1 to 2147483647."
    );
    for (class, config, argument) in [
        ("Dense", json!({ "units": 0 }), "units is 0"),
        ("Dense", json!({ "units": -4 }), "units is -4"),
        ("Dense", json!({ "units": 2.5 }), "units is 2.5"),
        ("Dense", json!({ "units": 1e30 }), "units is 1e+30"),
        ("Dense", json!({ "units": 3, "use_bias": 1 }), "use_bias is 1"),
        ("Dense", json!({ "units": 3, "activation": "ReLU" }), "activation is \"ReLU\""),
        (
            "Dense",
            json!({ "units": 3, "kernel_initializer": "he" }),
            "kernel_initializer is \"he\"",
        ),
        ("Conv2D", json!({ "filters": 3, "kernel_size": [3] }), "kernel_size is [3]"),
        (
            "Conv2D",
            json!({ "filters": 3, "kernel_size": 1, "padding": [1, 2] }),
            "padding is [1,2]",
        ),
        ("Dropout", json!({ "rate": "NaN" }), "rate is \"NaN\""),
        ("Reshape", json!({ "target_shape": [-1, -1] }), "target_shape is [-1,-1]"),
    ] {
        let message = refusal(class, config);
        assert!(
            message.starts_with(&format!("{class} \"a\": argument {argument}. Give ")),
            "{message}"
        );
    }
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    for (class, config, problem) in [
        (
            "Conv2D",
            json!({ "filters": 4, "kernel_size": 1, "groups": 3 }),
            "groups 3 does not divide",
        ),
        (
            "MaxPooling2D",
            json!({ "padding": [2, 0, 0, 0] }),
            "padding 2, 0, 0, 0 holds a whole window",
        ),
        ("Reshape", json!({ "target_shape": [5, -1] }), "target_shape [5, -1] does not hold 18"),
        ("Reshape", json!({ "target_shape": [5] }), "target_shape [5] does not hold 18 elements"),
        ("Dropout", json!({ "rate": 1.0 }), "rate 1 is not in [0, 1)"),
        ("Softmax", json!({ "axis": 0 }), "axis 0 is not one of the 3 axes"),
        ("Softmax", json!({ "axis": -4 }), "axis -4 is not one of the 3 axes"),
        ("BatchNormalization", json!({ "epsilon": 0 }), "epsilon 0 is not above 0"),
        ("Add", json!({}), "expected at least two inputs, got 1"),
    ] {
        let message = refusal(class, config);
        assert!(message.starts_with(&format!("{class} \"a\": {problem}")), "{message}");
    }
}

#[test]
fn names_and_order_are_checked() {
    let relu =
        |name: &str, input: &str| json!({ "class": "ReLU", "name": name, "inputs": [input] });
    for (layers, problem) in [
        (json!([relu("a", "x"), relu("a", "x")]), "the name \"a\" is used twice"),
        (json!([relu("x", "x")]), "the name \"x\" is used twice"),
        (json!([relu("", "x")]), "an input or layer has an empty name"),
        (json!([relu("a", "y")]), "layer \"a\" has the unknown input \"y\""),
        (json!([relu("a", "b"), relu("b", "x")]), "layer \"a\" comes before its input \"b\""),
        (
            json!([relu("a", "b"), relu("b", "a")]),
            "layers \"a\" and \"b\" need each other's result",
        ),
        (json!([relu("a", "a")]), "layers \"a\" and \"a\" need each other's result"),
        (json!([{ "class": "ReLU", "name": "a", "inputs": [] }]), "layer \"a\" has no input"),
    ] {
        let message = model(layers).unwrap_err().to_string();
        assert!(message.starts_with(&format!("model \"m\": {problem}")), "{message}");
    }
}

#[test]
fn inputs_and_outputs_are_checked() {
    let flat = || Definition::new("m").layer("a", layers::Flatten::new(), &["x"]);
    for (definition, problem) in [
        (flat().output("a"), "it has no input"),
        (flat().input("x", &[3, 0]).output("a"), "input \"x\" has the shape [3, 0]"),
        (flat().input("x", &[usize::MAX, 2]).output("a"), "input \"x\" has the shape"),
        (flat().input("x", &[3]), "expected one output, got 0"),
        (flat().input("x", &[3]).output("x"), "the output \"x\" is not a layer"),
        (flat().input("x", &[3]).output("b"), "the output \"b\" is not a layer"),
    ] {
        let message = Model::new(definition).unwrap_err().to_string();
        assert!(message.starts_with(&format!("model \"m\": {problem}")), "{message}");
    }
}

#[test]
fn sizes_beyond_memory_are_refused_before_anything_is_allocated() {
    let huge = json!({ "units": i32::MAX });
    let second = json!({ "class": "Dense", "name": "b", "config": huge.clone(), "inputs": ["a"] });
    let message = model(json!([layer("Dense", huge), second])).unwrap_err().to_string();
    assert!(
        message.starts_with("Dense \"b\": weight [2147483647, 2147483647] is too large"),
        "{message}"
    );
    let conv = json!({ "filters": 1, "kernel_size": i32::MAX, "padding": "same", "groups": 1 });
    assert!(refusal("Conv2D", conv).contains("is too large to be held in memory"));
}

#[test]
fn text_that_is_no_definition_is_refused() {
    for text in ["", "{", "[]", "1", "{\"format\":1}", "{\"format\":\"x\"}", "{\"layers\":[]}"] {
        assert!(matches!(Model::from_json(text), Err(Error::Syntax { .. })), "{text}");
    }
    let deep = "[".repeat(100_000);
    assert!(matches!(Model::from_json(&deep), Err(Error::Syntax { .. })));
    assert_eq!(
        Model::from_json("{\"format\":2}").unwrap_err().to_string(),
        "model definition: expected format 1, got 2. Use the firesteel that wrote it, or a newer one."
    );
}

#[test]
fn a_model_survives_its_json() {
    let layers = json!([
        {
            "class": "Conv2D",
            "name": "c",
            "config": {
                "filters": 4, "kernel_size": 3, "padding": [1, 1, 1, 1], "activation": "relu",
                "kernel_initializer": {
                    "class": "RandomNormal", "config": { "mean": 0.0, "stddev": 0.01 },
                },
            },
            "inputs": ["x"],
        },
        { "class": "Flatten", "name": "f", "inputs": ["c"] },
    ]);
    let one = model(layers).unwrap();
    let two = Model::from_json(&one.to_json()).unwrap();
    assert_eq!(one.definition(), two.definition());
    assert_eq!(one.initial_weights(3), two.initial_weights(3));
}
