//! Inception v1, layer by layer.

use layers::ActivationFunction::Relu;
use layers::{
    Concatenate, Conv2D, Definition, Dense, Dropout, GlobalAveragePooling2D, LRN2D, MaxPooling2D,
    Padding,
};

/// Inception v1 for 224×224 images and 1000 classes, as Caffe and BigDL have it: convolutions with
/// bias, two local response normalizations, no side branches.
pub fn definition() -> Definition {
    let mut net = Net(Definition::new("inception_v1").input("input", &[3, 224, 224]));
    net.conv("conv1", "input", 64, 7, 2);
    net.pool("pool1", "conv1", 2);
    net.layer("lrn1", LRN2D::new(), &["pool1"]);
    net.conv("conv2r", "lrn1", 64, 1, 1);
    net.conv("conv2", "conv2r", 192, 3, 1);
    net.layer("lrn2", LRN2D::new(), &["conv2"]);
    net.pool("pool2", "lrn2", 2);
    net.block("i3a", "pool2", [64, 96, 128, 16, 32, 32]);
    net.block("i3b", "i3a", [128, 128, 192, 32, 96, 64]);
    net.pool("pool3", "i3b", 2);
    net.block("i4a", "pool3", [192, 96, 208, 16, 48, 64]);
    net.block("i4b", "i4a", [160, 112, 224, 24, 64, 64]);
    net.block("i4c", "i4b", [128, 128, 256, 24, 64, 64]);
    net.block("i4d", "i4c", [112, 144, 288, 32, 64, 64]);
    net.block("i4e", "i4d", [256, 160, 320, 32, 128, 128]);
    net.pool("pool4", "i4e", 2);
    net.block("i5a", "pool4", [256, 160, 320, 32, 128, 128]);
    net.block("i5b", "i5a", [384, 192, 384, 48, 128, 128]);
    net.layer("avgpool", GlobalAveragePooling2D::new(), &["i5b"]);
    net.layer("drop", Dropout::new(0.4), &["avgpool"]);
    net.layer("fc", Dense::new(1000), &["drop"]);
    net.0.output("fc")
}

struct Net(Definition);

impl Net {
    fn layer(&mut self, name: &str, layer: impl layers::Layer, inputs: &[&str]) {
        let definition = std::mem::replace(&mut self.0, Definition::new(""));
        self.0 = definition.layer(name, layer, inputs);
    }

    /// Convolution with ReLU, padded to keep the size at stride 1.
    fn conv(&mut self, name: &str, src: &str, filters: usize, kernel: usize, stride: usize) {
        let conv = Conv2D {
            strides: [stride, stride],
            padding: Padding::all(kernel / 2),
            activation: Relu,
            ..Conv2D::new(filters, [kernel, kernel])
        };
        self.layer(name, conv, &[src]);
    }

    /// The largest of 3×3; at stride 2 the last window hangs over the edge, as Caffe rounds up.
    fn pool(&mut self, name: &str, src: &str, stride: usize) {
        let (pool_size, strides) = ([3, 3], Some([stride, stride]));
        self.layer(name, MaxPooling2D { pool_size, strides, padding: Padding::Same }, &[src]);
    }

    /// 1×1, 3×3 and 5×5 convolutions and a pooling side by side.
    fn block(&mut self, name: &str, src: &str, [c1, c3r, c3, c5r, c5, cp]: [usize; 6]) {
        let part = |part: &str| format!("{name}.{part}");
        self.conv(&part("b1"), src, c1, 1, 1);
        self.conv(&part("b3r"), src, c3r, 1, 1);
        self.conv(&part("b3"), &part("b3r"), c3, 3, 1);
        self.conv(&part("b5r"), src, c5r, 1, 1);
        self.conv(&part("b5"), &part("b5r"), c5, 5, 1);
        self.pool(&part("pool"), src, 1);
        self.conv(&part("bp"), &part("pool"), cp, 1, 1);
        let parts = ["b1", "b3", "b5", "bp"].map(part);
        self.layer(name, Concatenate { axis: 1 }, &parts.each_ref().map(String::as_str));
    }
}
