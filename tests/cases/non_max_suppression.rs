//! Cases of the selection of boxes.

use super::{Case, Refusal};
use nn::ops::NonMaxSuppression;
use oracle::Array;

/// The documentation's six boxes, of which pairs overlap by 9/11 and 1.
fn boxes() -> Array {
    #[rustfmt::skip]
    let corners = vec![
        0.0, 0.0, 1.0, 1.0,  0.0, 0.1, 1.0, 1.1,  0.0, -0.1, 1.0, 0.9,
        0.0, 10.0, 1.0, 11.0,  0.0, 10.1, 1.0, 11.1,  0.0, 100.0, 1.0, 101.0,
    ];
    Array::new(&[1, 6, 4], corners)
}

/// The same as centres and sizes.
fn centers() -> Array {
    let centers = [0.5, 0.6, 0.4, 10.5, 10.6, 100.5];
    Array::new(&[1, 6, 4], centers.iter().flat_map(|&c| [0.5, c, 1.0, 1.0]).collect())
}

fn case(name: &str, op: NonMaxSuppression, boxes: Array, selected: &'static [[f64; 3]]) -> Case {
    let scores = Array::new(&[1, 1, 6], vec![0.9, 0.75, 0.6, 0.95, 0.5, 0.3]);
    let expected =
        move |_: &[Array]| vec![Array::new(&[selected.len(), 3], selected.as_flattened().to_vec())];
    Case::new(name, op, expected).fixed(boxes).fixed(scores).constants_only()
}

pub fn cases() -> Vec<Case> {
    let op = NonMaxSuppression {
        max_output_boxes_per_class: 3,
        iou_threshold: 0.5,
        ..NonMaxSuppression::default()
    };
    let all: &[[f64; 3]] = &[[0.0, 0.0, 3.0], [0.0, 0.0, 0.0], [0.0, 0.0, 5.0]];
    let center = NonMaxSuppression { center_point_box: true, ..op.clone() };
    let two = NonMaxSuppression { max_output_boxes_per_class: 2, ..op.clone() };
    let none = NonMaxSuppression { max_output_boxes_per_class: 0, ..op.clone() };
    let above = NonMaxSuppression { score_threshold: Some(0.4), ..op.clone() };
    vec![
        case("by corners", op, boxes(), all),
        case("by centres", center, centers(), all),
        case("of at most two", two, boxes(), &all[..2]),
        case("of none", none, boxes(), &[]),
        case("above a score", above, boxes(), &all[..2]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        NonMaxSuppression::default(),
        &[&[1, 6, 4], &[1, 1, 5]],
        "NonMaxSuppression \"case\": expected f32 boxes [batch, n, 4] and scores [batch, classes, n], \
         got f32 [1, 6, 4] and f32 [1, 1, 5]. Give a score of each class for each box.",
    )]
}
